"""Registers `site` with Django, for its shell templates."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The shell every page stands in."""

    name = "muniment.site"
    label = "muniment_site"
