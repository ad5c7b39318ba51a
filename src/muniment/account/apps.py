"""Registers `account` with Django."""

from __future__ import annotations

from django.apps import AppConfig


class AccountConfig(AppConfig):
    """What is shown to the people concerned."""

    name = "muniment.account"
    label = "account"
