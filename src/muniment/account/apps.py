"""Registers `account` with Django."""

from __future__ import annotations

from django.apps import AppConfig


class AccountConfig(AppConfig):
    """What is shown to the people concerned."""

    name = "muniment.account"
    label = "muniment_account"  # allauth has an app of the short name
