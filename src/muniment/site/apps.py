"""Registers `site` with Django: the shell's templates, and what follows a sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The shell every page stands in, and signing in."""

    name = "muniment.site"
    label = "muniment_site"

    def ready(self) -> None:
        """Listen to what django-allauth says of sign-ins and second factors."""
        from muniment.site import sign_in_events

        sign_in_events.listen()
