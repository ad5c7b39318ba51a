"""Web as it passes. Not built yet."""
