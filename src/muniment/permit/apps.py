"""Registers `permit` with Django."""

from __future__ import annotations

from django.apps import AppConfig


class PermitConfig(AppConfig):
    """The written permission."""

    name = "muniment.permit"
    label = "permit"
    default_auto_field = "django.db.models.BigAutoField"
