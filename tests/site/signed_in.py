"""Signing in, for tests: at a running example console by HTTP or in a browser, and in this process as any role.

`session(console, "md")` gives a client that keeps cookies; `sign_in(page, console, "md")` signs a browser page in;
`client_as(Role.HR)` needs no console.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from django.test import Client
from playwright.sync_api import Page, Request

from muniment.people.example_people import EXAMPLE_PEOPLE, SHEET
from muniment.people.role import Role
from tests.site.console import Answer, Console

_PASSWORD = re.compile(r"^    ([a-z2-9]{4}(?:-[a-z2-9]{4}){3})$", re.MULTILINE)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def password_of(console: Console) -> str:
    """Return the one password of the example's people."""
    found = _PASSWORD.search((console.home.path / "sheets" / SHEET).read_text())
    assert found is not None
    return found.group(1)


def address_of(person_id: str) -> str:
    """Return the address an example person signs in with."""
    return next(person.address for person in EXAMPLE_PEOPLE if person.id == person_id)


class Session:
    """A browser without scripts: keeps cookies, and sends forms with the token of their page."""

    def __init__(self, console: Console) -> None:
        self.console, self.cookies = console, dict[str, str]()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.console.ask(path, method, body, **({"Cookie": cookie} if cookie else {}) | headers)
        for line in answer.cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return answer

    def send(self, path: str, form_at: str = "", **fields: str) -> Answer:
        """Send a form to `path`, with the token of the page at `form_at` (the same by default)."""
        page = self.ask(form_at or path)
        token = _TOKEN.search(page.text)
        assert token is not None, f"{form_at or path} answered {page.status} without a form"
        body = urlencode({"csrfmiddlewaretoken": token.group(1), **fields}).encode()
        kind = "application/x-www-form-urlencoded"
        return self.ask(path, "POST", body, Content_Type=kind, Origin=self.console.address)


def session(console: Console, person_id: str) -> Session:
    """Return the session of an example person who signed in by password."""
    found = Session(console)
    answer = found.send("/sign-in", login=address_of(person_id), password=password_of(console))
    assert answer.status == 302, answer.text
    return found


def invited(console: Console, person_id: str, name: str, roles: str) -> Session:
    """Import one person, invite them, and return their session after they chose a password."""
    file = console.home.path / "people.csv"
    columns = "external_id,name,roles,line_manager,addresses,from,until"
    file.write_text(f"{columns}\n{person_id},{name},{roles},,{person_id}@training.example,,\n")
    muniment("people", "import", str(file), "--home", str(console.home.path))
    said = json.loads(muniment("people", "invite", person_id, "--home", str(console.home.path), "--json"))
    found = Session(console)
    password = "three-words-and-more"
    place = said["link"].removeprefix(f"{console.address}")
    answer = found.send(place, password1=password, password2=password)
    assert answer.status == 302, answer.text
    return found


def muniment(*words: str) -> str:
    """Return what the command prints; it must end well."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MUNIMENT", "DJANGO"))
    }
    command = [sys.executable, "-m", "muniment.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sign_in(page: Page, console: Console, person_id: str) -> None:
    """Sign a browser page in by its form."""
    page.goto(f"{console.address}/sign-in")
    page.get_by_label("Your mail address").fill(address_of(person_id))
    page.get_by_label("Your password").fill(password_of(console))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def client_as(*roles: Role, name: str = "", proved: bool = True) -> Client:
    """Return a client of this process, signed in as a new person in these roles; needs a `database` with tables.

    `proved` says that a second factor was used a moment ago.
    """
    from muniment.people.account import Account
    from muniment.people.models import Address, Person, RoleAssignment

    since = datetime.now(UTC) - timedelta(days=30)
    number = Person.objects.count() + 1
    label = name or f"Person {number}"
    person = Person.objects.create(external_id=f"p{number}", name=label, started=since)
    for role in roles:
        RoleAssignment.objects.create(person=person, role=role, started=since)
    address = f"p{number}@training.example"
    Address.objects.create(person=person, kind="mail", folded=address, started=since)
    account = Account.objects.create(person=person, email=address, made=since)
    account.set_unusable_password()
    account.save()
    return client_of(account, proved=proved)


def client_of(account: object, *, proved: bool = True) -> Client:
    """Return a client of this process, signed in with an account."""
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    client.force_login(account)  # type: ignore[arg-type]
    session = client.session
    records = [{"method": "password", "at": time.time()}]
    records += [{"method": "mfa", "type": "totp", "at": time.time()}] if proved else []
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(account.pk)  # type: ignore[attr-defined]
    session.save()
    return client


def is_left(request: Request) -> bool:
    """Tell whether a request failed only because the page was left, or because it became a download."""
    return request.failure == "net::ERR_ABORTED"
