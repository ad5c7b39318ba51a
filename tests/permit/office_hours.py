"""A running example console, and what people do in it through its pages: ask, decide, and hold the right keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Browser, Page

from muniment.people.moment import LONDON
from muniment.permit import rooms
from muniment.permit.acts import approval_request
from muniment.permit.office import open_office
from muniment.permit.release import Covers, open_release, read_bundle, sign
from muniment.permit.replay import Standing, read_history
from muniment.record import keyfile, permit_text
from muniment.record.client import Recorder
from muniment.record.opening import clock_ms
from tests.site.console import Answer, Console
from tests.site.signed_in import Session, session, sign_in

PHONE = {"width": 390, "height": 844}
OFFICERS = {"md": "managing-director", "om": "office-manager", "chair": "alternate"}
_WORD = re.compile(r"<li>([a-z]+)</li>")
_NUMBER = re.compile(r"permit (\d{4}-\d{3})")


@dataclass
class Hours:
    """The console and who is signed in at it without scripts."""

    console: Console
    sessions: dict[str, Session] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)

    def session(self, who: str) -> Session:
        if who not in self.sessions:
            self.sessions[who] = session(self.console, who)
        return self.sessions[who]

    def get(self, who: str, path: str) -> Answer:
        return self.session(who).ask(path)

    def post(self, who: str, path: str, form_at: str = "", **fields: str | list[str]) -> Answer:
        """Send a form with the token of its page; a list is a field that stands several times."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(who, form_at or path).text)
        assert token is not None, f"{form_at or path} has no form for {who}"
        body = urlencode({"csrfmiddlewaretoken": token.group(1), **fields}, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        return self.session(who).ask(path, "POST", body, Content_Type=kind, Origin=self.console.address)

    def person(self, name: str) -> str:
        """Return the pseudonym of somebody by their name, from the page that lists them."""
        page = self.get("hr", "/permits/ask").text
        found = re.search(rf'name="people" value="([^"]+)"[^>]*><span>{name}<', page)
        assert found is not None, page
        return found.group(1)

    def ask(self, who: str = "hr", about: str = "Tomás Tutor", **changed: str | list[str]) -> tuple[str, str]:
        """Ask for a permit; return its number and the six words of its room."""
        answer = self.post(who, "/permits/ask", **self.asking(about, **changed))
        assert answer.status == 200, answer.text
        number, words = _NUMBER.search(answer.text), _WORD.findall(answer.text)
        assert number is not None and len(words) == 6, answer.text
        return number.group(1), "-".join(words)

    def asking(self, about: str = "Tomás Tutor", **changed: str | list[str]) -> dict[str, str | list[str]]:
        """Return the fields of a plain request."""
        fields: dict[str, str | list[str]] = {
            "people": [self.person(name) for name in about.split(", ")] if about else [],
            "start": "2020-01-01",
            "until": self.day(0),
            "streams": ["mail-gateway", "mail-journal", "mail-import"],
            "depth": "content",
            "purpose": "CASE",
            "case": "2026/17",
            "reason": "Results were changed; who asked for it?",
            "alternative": "The awarding body’s own log.",
            "days": "14",
            "ask": "1",
        }
        return fields | changed

    def narrowing(self, number: str, **changed: str | list[str]) -> dict[str, str | list[str]]:
        """Return the fields of a narrowing that keeps everything but what is changed."""
        standing = self.standing(number)
        asked = standing.request
        fields: dict[str, str | list[str]] = {
            "people": [each.id for each in asked.subjects],
            "start": "2020-01-01",
            "until": self.day(0),
            "streams": list(asked.streams),
            "depth": asked.depth,
            "days": str(asked.days),
            "reason": "That much will do.",
            "revision": str(standing.revision),
        }
        return fields | changed

    def day(self, ahead: int) -> str:
        """Return a day from today as a form writes it."""
        return (datetime.now(LONDON).date() + timedelta(days=ahead)).isoformat()

    def permits(self) -> list[str]:
        """Return the numbers of all permits the record holds."""
        return list(read_history(self.console.home).permits)

    def standing(self, number: str) -> Standing:
        return read_history(self.console.home).permit(number)

    def state(self, number: str) -> str:
        return str(self.standing(number).state)

    def key_file(self, officer: str) -> str:
        return str(self.console.home.path / "officer-keys" / f"{OFFICERS[officer]}.json")

    def words(self, officer: str) -> str:
        """Return the six words on an officer's sheet."""
        sheet = (self.console.home.path / "sheets" / f"{OFFICERS[officer]}.txt").read_text()
        found = re.search(r"YOUR SIX WORDS\s+((?:[a-z]+\s+){6})", sheet)
        assert found is not None
        return " ".join(found.group(1).split())

    def private_key(self, officer: str) -> X25519PrivateKey:
        file = keyfile.parse_key_file(Path(self.key_file(officer)).read_bytes())
        return keyfile.open_key(file, self.words(officer))

    def covers(self, number: str, words: str) -> Covers:
        """Open a permit's release with the six words of its room."""
        standing = self.standing(number)
        key = keyfile.parse_key_file(rooms.read_key(self.console.home, number, standing.revision))
        signed = permit_text.parse_signed_approval(rooms.read_approval(self.console.home, standing.request))
        approval = permit_text.parse_approval(signed.approval)
        return open_release(signed.release, keyfile.open_key(key, words), standing.request, approval)

    def released(self, number: str) -> int:
        """Return how many entries the recorder gives its share of; raises as it refuses."""
        standing = self.standing(number)
        signed = permit_text.parse_signed_approval(rooms.read_approval(self.console.home, standing.request))
        selection = rooms.read_selection(self.console.home, standing.request)
        with Recorder(self.console.home.socket) as recorder:
            return len(list(recorder.release(standing.text, signed.approval, signed.signature, selection)))


def sign_outside(hours: Hours, who: str, number: str, key: str) -> Answer:
    """Sign past every page with an officer's key, and send it to the API as somebody."""
    with open_office(hours.console.home) as office:
        bundle = read_bundle(approval_request(office, number))
    signed = sign(bundle, OFFICERS[key], hours.private_key(key), clock_ms())
    return send_signed(hours.session(who), number, signed)


def send_signed(session: Session, number: str, signed: bytes) -> Answer:
    """Send a signed approval as the page's script does."""
    return session.ask(
        f"/api/permits/{number}/approval",
        "POST",
        signed,
        Content_Type="application/json",
        X_CSRFToken=session.cookies.get("csrftoken", ""),
        Origin=session.console.address,
    )


@contextmanager
def at_page(
    browser: Browser, hours: Hours, who: str, path: str, *, scripts: bool = True, width: int = 390
) -> Iterator[Page]:
    """Open a page as somebody who signed in; hold that it asked nobody else for anything and nothing of it failed."""
    size = {**PHONE, "width": width}
    context = browser.new_context(viewport=size, java_script_enabled=scripts)  # type: ignore[arg-type]
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda each: complaints.append(each.text) if "Content Security" in each.text else None
        )
        page.on(
            "request",
            lambda each: (
                complaints.append(each.url) if not each.url.startswith(hours.console.address) else None
            ),
        )
        sign_in(page, hours.console, who)
        page.goto(hours.console.address + path)
        yield page
        assert complaints == []
    finally:
        context.close()
