"""Rooms for the tests of their pages: asked for, approved by an officer's key and opened, all by the real commands."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.people.database import set_up
from tests.site.console import Console

set_up()

from tests.site.signed_in import is_left, sign_in  # noqa: E402

CHROMIUM = Path("/usr/bin/chromium")
Scheme = Literal["light", "dark"]
VIEWS: list[tuple[Scheme, int]] = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
RUNGS = ("envelope", "subject", "content")
_CHECKPOINT_SECONDS = 2.5


@dataclass(frozen=True)
class Opened:
    """A permit and the six words of its room."""

    console: Console
    number: str
    words: str
    revision: int = 1

    @property
    def name(self) -> str:
        return f"{self.number}-{self.revision}"

    @property
    def place(self) -> str:
        return f"/rooms/{self.name}"


def letter(subject: str, text: str, html: str = "", **headers: str) -> bytes:
    """Return a message of Tomás to somebody outside."""
    message = EmailMessage()
    message["From"] = headers.pop("sender", "tomas@training.example")
    message["To"] = "someone@outside.example"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def with_attachment(subject: str, text: str, name: str, data: bytes, kind: str) -> bytes:
    """Return a message with one attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "tomas@training.example",
        "someone@outside.example",
        subject,
    )
    message.set_content(text)
    main, _, sub = kind.partition("/")
    message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def hand_in(console: Console, sender: str, content: bytes) -> None:
    """Hand a message of one of our people in at the gateway."""
    host, _, port = console.policy.gateway.inside.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=60) as client:
        client.sendmail(sender, ["someone@outside.example"], content)


def settle() -> None:
    """Wait until what was sent is below a published checkpoint."""
    time.sleep(_CHECKPOINT_SECONDS)


def command(console: Console, *words: str, has_home: bool = True) -> dict[str, Any]:
    """Run a `muniment` command and return what it printed."""
    home = ("--home", str(console.home.path)) if has_home else ()
    done = subprocess.run(
        [sys.executable, "-m", "muniment.cli", *words, *home, "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def asked(
    console: Console, *more: str, by: str = "hr", people: Sequence[str] = ("tomas",), depth: str = "content"
) -> Opened:
    """Ask for a permit over the mail of somebody, from yesterday on."""
    today = datetime.now(UTC).date()
    whose = [word for person in people for word in ("--person", person)]
    found = command(
        console, "permit", "ask", "--as", by, "--purpose", "CASE", "--case", "G-12",
        "--reason", "Who changed the marks", "--alternative", "Asked both; they disagree",
        "--from", str(today - timedelta(days=1)), "--until", str(today + timedelta(days=1)),
        "--depth", depth, *whose, *more,
    )  # fmt: skip
    return Opened(console, found["number"], found["words"])


def approve(opened: Opened, folder: Path, officer: str = "managing-director") -> None:
    """Approve a permit as the officer does who trusts no browser."""
    home = opened.console.home.path
    sheet = (home / "sheets" / f"{officer}.txt").read_text()
    words = folder / f"{officer}.words"
    words.write_text(" ".join(sheet.split("YOUR SIX WORDS")[1].split("WHAT THEY")[0].split()))
    request, signed = folder / f"{opened.number}.request", folder / f"{opened.number}.signed"
    command(opened.console, "permit", "bundle", opened.number, "--output", str(request))
    key = home / "officer-keys" / f"{officer}.json"
    command(
        opened.console, "approve", str(request), "--key", str(key), "--words-file", str(words),
        "--output", str(signed), has_home=False,
    )  # fmt: skip
    command(opened.console, "permit", "decide", str(signed))


def approved(console: Console, folder: Path, *more: str, **whose: Any) -> Opened:
    """Return a room whose permit is in force, still locked."""
    found = asked(console, *more, **whose)
    approve(found, folder)
    return found


def unlock(page: Page, opened: Opened) -> None:
    """Unlock a room on its page."""
    page.goto(opened.console.address + opened.place)
    page.get_by_label("The room’s six words").fill(opened.words)
    page.get_by_role("button", name="Unlock").click()
    page.get_by_text("open here").first.wait_for()


def climb(page: Page, opened: Opened, to: str = "content") -> None:
    """Climb the ladder up to a rung, with a reason for each; wait until everything is searched."""
    for rung in RUNGS[: RUNGS.index(to) + 1]:
        page.goto(opened.console.address + opened.place)
        page.locator("#climb-reason").fill(f"Needed to tell who asked: {rung}")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url(lambda url: url.endswith(opened.place))
    await_built(page, opened)


def await_built(page: Page, opened: Opened) -> None:
    """Look again until the room is built."""
    deadline = time.monotonic() + 60
    while True:
        page.goto(opened.console.address + opened.place)
        if page.get_by_text("still being built").count() == 0:
            return
        assert time.monotonic() < deadline, "the room is not built"
        time.sleep(0.2)


def search(page: Page, opened: Opened, words: str, reason: str = "Who asked for the change") -> None:
    """Search from the room's page."""
    page.goto(opened.console.address + opened.place)
    page.locator("#words").fill(words)
    page.locator("#reason").fill(reason)
    follow(page, page.get_by_role("button", name="Search", exact=True))


def follow(page: Page, link: Locator) -> None:
    """Press something that leads to another page, and wait until that is there."""
    with page.expect_navigation():
        link.click()


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the real Chromium."""
    assert CHROMIUM.exists(), "Chromium is not installed; run tests/install-servers as root once"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def signed_in(
    chromium: Browser, console: Console, person: str, scheme: Scheme = "light", width: int = 1280
) -> Iterator[Page]:
    """Open a page signed in as somebody, and hold at the end that it asked nobody else and that nothing was stopped."""
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    try:
        page, complaints = context.new_page(), list[str]()
        watch(page, console.address, complaints)
        sign_in(page, console, person)
        yield page
        assert complaints == [], complaints
    finally:
        context.close()


def watch(page: Page, address: str, complaints: list[str]) -> None:
    """Note whatever a page asks of others, and whatever of it fails, runs or is stopped."""
    context = page.context
    context.on("request", lambda each: None if each.url.startswith(address) else complaints.append(each.url))
    context.on(
        "requestfailed", lambda each: None if is_left(each) else complaints.append(f"failed: {each.url}")
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("console", lambda each: complaints.append(each.text) if "Content Security" in each.text else None)
