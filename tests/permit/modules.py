"""A blank page in a real Chromium that loads the console's scripts as the console serves them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from muniment.site import styles

CHROMIUM = Path("/usr/bin/chromium")
ADDRESS = "http://muniment.localhost"  # localhost counts as secure, which WebCrypto demands
_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"


@contextmanager
def chromium() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "Chromium is not installed; run tests/install-servers as root once"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def blank_page(browser: Browser, documents: dict[str, str] | None = None) -> Iterator[Page]:
    """Yield the page; `documents` are texts that it may fetch by their path."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.route("**/*", lambda route: _answer(route, documents or {}))
        page.goto(f"{ADDRESS}/")
        yield page
    finally:
        context.close()


def _answer(route: Route, documents: dict[str, str]) -> None:
    path = route.request.url.removeprefix(ADDRESS)
    if path == "/":
        route.fulfill(
            body="<!doctype html><title>blank</title>",
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY},
        )
    elif path in documents:
        route.fulfill(body=documents[path], content_type="application/json")
    else:
        file = styles.files().get(path.removeprefix("/static/"))
        if file is None:
            route.fulfill(status=404)
        else:
            route.fulfill(body=file.data, content_type=file.content_type)


def run(page: Page, script: str, argument: Any = None) -> Any:
    """Return what an asynchronous function in the page returns; `use(name)` in it imports one of our modules."""
    return page.evaluate(
        f"(given) => (async (use) => {{ {script} }})((name) => import(`/static/${{name}}.js`))", argument
    )
