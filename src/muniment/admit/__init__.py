"""Letting people and devices in. Not built yet."""
