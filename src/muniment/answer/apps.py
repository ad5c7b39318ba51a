"""Registers `answer` with Django."""

from __future__ import annotations

from django.apps import AppConfig


class AnswerConfig(AppConfig):
    """Answers to the questions that may lawfully be put to the record."""

    name = "muniment.answer"
    label = "answer"
