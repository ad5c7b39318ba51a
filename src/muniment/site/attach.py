"""Points Django at a home, for a command that reads or writes the console's database. A process serves one home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from muniment.policy.errors import Conflict, Unavailable
from muniment.record.home import Home

_SETTINGS = "muniment.site.settings"


@contextmanager
def attached(home: Home) -> Iterator[None]:
    """Set Django up for `home` while the block works on its database.

    Raises: Conflict when this process serves another home; Missing, BadInput as the policy file and the key do;
    Unavailable when the database cannot be reached or lacks its tables.
    """
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.db.utils import DatabaseError

    if not settings.configured:
        os.environ["MUNIMENT_HOME"] = str(home.path)
        os.environ["DJANGO_SETTINGS_MODULE"] = _SETTINGS
        django.setup()
    served: Home | None = settings.MUNIMENT_HOME
    if served is None or served.path != home.path:
        there = served.path if served else "no home"
        raise Conflict(f"this process serves {there}, and {home.path} needs one of its own")
    try:
        yield
    except (DatabaseError, ImproperlyConfigured) as error:
        reason = " ".join(str(error).split())
        raise Unavailable(
            f"the console's database cannot be used: {reason}. See that it runs and that console.database in the "
            "policy file names it; `muniment up` makes its tables"
        ) from error
