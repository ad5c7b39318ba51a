"""Rooms, cases, requests, packs. Not built yet."""
