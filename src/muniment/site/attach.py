"""Points Django at a home, for a command that reads or writes the console's database. A process serves one home."""

from __future__ import annotations

import os

from muniment.policy.errors import Conflict
from muniment.record.home import Home

_SETTINGS = "muniment.site.settings"


def attach(home: Home) -> None:
    """Set Django up for `home`; a second call for the same home does nothing.

    Raises: Conflict when this process serves another home; Missing, BadInput as the policy file and the key do.
    """
    import django
    from django.conf import settings

    if not settings.configured:
        os.environ["MUNIMENT_HOME"] = str(home.path)
        os.environ["DJANGO_SETTINGS_MODULE"] = _SETTINGS
        django.setup()
    served: Home | None = settings.MUNIMENT_HOME
    if served is None or served.path != home.path:
        there = served.path if served else "no home"
        raise Conflict(f"this process serves {there}, and {home.path} needs one of its own")
