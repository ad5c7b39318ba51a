"""A desk (a home with its recorder, people, mail and permits), and pages of this process over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo

import pytest
from django.test import Client, override_settings

from muniment.people.moment import LONDON
from tests.people.database import set_up
from tests.permit.conftest import desk, on_sqlite
from tests.permit.desk import Desk

set_up()

__all__ = ["desk", "on_sqlite"]


@pytest.fixture
def served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The desk, served by the console's code in this process; the pages' clock is the recorder's."""

    from muniment.account.views import health, mine, officers

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(desk.clock() / 1000, UTC).astimezone(tz)

    for views in (mine, officers, health):
        monkeypatch.setattr(views, "datetime", Then)
    with override_settings(MUNIMENT_HOME=desk.home, MUNIMENT_POLICY=desk.office.policy):
        yield desk


@pytest.fixture
def page_of(served: Desk) -> Callable[[str], Client]:
    """Return a browser without scripts, signed in as a person of the desk."""
    from datetime import datetime

    from muniment.people.sign_in import open_account
    from tests.site.signed_in import client_of

    def signed_in(name: str) -> Client:
        return client_of(open_account(served.person(name), datetime.now(LONDON)))

    return signed_in
