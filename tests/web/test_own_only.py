"""What is one person's own is nobody else's, whatever number somebody writes into the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from muniment.people.role import Role
from tests.site.console import Console, up
from tests.site.signed_in import client_as, session

_OWN = re.compile(r'href="(/my-record/mail/[^"?]+)"')


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("own")) as found:
        yield found


def test_nobody_opens_a_line_of_anothers_record(console: Console) -> None:
    tomas = session(console, "tomas")
    mine = _OWN.findall(tomas.ask("/my-record/mail").text) + _OWN.findall(tomas.ask("/my-record").text)
    assert mine, "the example has letters of the last weeks"
    assert all(tomas.ask(place).status == 200 for place in mine)
    for other in ("stella", "it", "om", "auditor"):
        theirs = session(console, other)
        own = set(_OWN.findall(theirs.ask("/my-record/mail").text))
        for place in sorted(set(mine) - own):
            answer = theirs.ask(place)
            assert answer.status == 404, f"{other} got {place}"


def test_nobody_marks_a_line_of_anothers_record(console: Console) -> None:
    tomas, stella = session(console, "tomas"), session(console, "stella")
    mine = _OWN.findall(tomas.ask("/my-record/mail").text)
    own = set(_OWN.findall(stella.ask("/my-record/mail").text))
    [place, *_] = [each for each in mine if each not in own]
    before = tomas.ask(place).text.count("private")
    assert stella.send(place, "/my-account/sessions", mark="private").status == 404
    assert tomas.ask(place).text.count("private") == before


@pytest.mark.usefixtures("database")
def test_nobody_takes_away_anothers_passkey() -> None:
    from allauth.mfa.models import Authenticator

    from muniment.people.account import Account

    client_as(Role.STAFF)
    other = Account.objects.get()
    passkey = Authenticator.objects.create(
        user=other, type="webauthn", data={"name": "Theirs", "credential": {}}
    )
    client = client_as(Role.STAFF)
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [record | {"reauthenticated": True} for record in records]
    session.save()
    for method in (client.get, client.post):
        assert method(f"/my-account/passkeys/{passkey.pk}/remove").status_code == 404
    assert Authenticator.objects.filter(pk=passkey.pk).exists()
