"""Decisions on traffic as it passes."""
