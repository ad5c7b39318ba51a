"""Answers to questions that may lawfully be put to the record: rooms and packs. Cases and requests are not built yet."""
