"""What the shell around every page shows: the organisation, whether it is an example, where one can go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the shell's part of a template's context."""
    policy = settings.MUNIMENT_POLICY
    return {
        "organisation": policy.organisation.short_name if policy else "",
        "example": bool(policy and policy.example),
        "path": request.path,
    }
