"""Answers to what may lawfully be asked of the record: rooms and packs. Cases and requests are not built yet."""
