"""An officer approves in a real Chromium on a phone, with a real recorder behind; and everything that must not work."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from muniment.permit import rooms
from muniment.permit.release import read_bundle, sign
from muniment.policy.errors import Conflict, Refused
from muniment.record import wraps
from muniment.record.opening import clock_ms
from muniment.record.permit_selection import CONTENT, META, parse_selection
from muniment.record.sharing import wraps_of
from tests.permit.modules import chromium
from tests.permit.office_hours import Hours, at_page, send_signed, sign_outside
from tests.site.console import up


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hours]:
    with up(tmp_path_factory.mktemp("approval")) as console:
        yield Hours(console)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def give_key(page: Page, hours: Hours, officer: str, words: str = "") -> None:
    """Choose the key file, type the words, and press the button."""
    page.get_by_label("Your key file").set_input_files(hours.key_file(officer))
    press(page, words or hours.words(officer))


def press(page: Page, words: str) -> None:
    page.get_by_label("Your six words").fill(words)
    page.get_by_role("button", name="Sign and approve").click()


def expect_signed(page: Page, number: str) -> None:
    expect(page.get_by_role("heading", name=f"Permit {number} is in force")).to_be_visible(timeout=30_000)


def expect_trouble(page: Page, said: str) -> None:
    expect(page.locator("#trouble")).to_contain_text(said, timeout=30_000)


def test_an_officer_approves_on_her_phone_and_the_room_gets_exactly_what_was_asked(
    browser: Browser, hours: Hours
) -> None:
    number, words = hours.ask()
    with at_page(browser, hours, "md", "/permits") as page:
        page.locator("article", has_text=number).or_(
            page.get_by_role("article", name=f"Request {number}")
        ).get_by_role("link").click()
        page.get_by_role("link", name="Approve").click()
        expect(page.locator("#asked")).to_contain_text("To let Hari Hughes read the mail of Tomás Tutor")
        expect(page.locator("#reason")).to_have_text("Results were changed; who asked for it?")
        expect(page.locator("#entries")).to_have_text(f"{hours.standing(number).request.entries}")
        give_key(page, hours, "md")
        expect_signed(page, number)
    standing = hours.standing(number)
    assert standing.state == "approved"
    assert standing.approval is not None and standing.approval.officer == "managing-director"
    covers = hours.covers(number, words)
    items = parse_selection(read_selection(hours, number))
    for item in items:
        assert item.sections & META == 0 or item.position in covers[item.class_id, item.epoch, "meta"]
        assert item.sections & CONTENT == 0 or item.position in covers[item.class_id, item.epoch, "content"]
    released = sum(1 << (24 - level) for cover in covers.values() for level, _ in cover.nodes)
    assert released == sum(bool(item.sections & META) + bool(item.sections & CONTENT) for item in items)
    assert hours.released(number) == len(items)
    assert "in force" in hours.get("hr", f"/permits/{number}").text


def read_selection(hours: Hours, number: str) -> bytes:
    return rooms.read_selection(hours.console.home, hours.standing(number).request)


def test_wrong_words_are_said_at_their_field_and_right_ones_approve_then(
    browser: Browser, hours: Hours
) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "om", f"/permits/{number}/approve") as page:
        give_key(page, hours, "om", "zoo zoo zoo zoo zoo zoo")
        expect(page.locator("#words-error")).to_contain_text("do not open the key of Olive Example")
        assert page.evaluate("document.activeElement.id") == "words"
        assert hours.state(number) == "asked"
        press(page, hours.words("om"))
        expect_signed(page, number)
    assert hours.state(number) == "approved"


def test_another_officers_key_approves_nothing(browser: Browser, hours: Hours) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        give_key(page, hours, "om")
        expect_trouble(page, "you are signed in as Morgan Example")
    assert hours.state(number) == "asked"


def test_a_key_file_of_no_officer_is_said_at_its_field(
    browser: Browser, hours: Hours, tmp_path: Path
) -> None:
    number, _ = hours.ask()
    stray = tmp_path / "holiday.json"
    stray.write_text('{"format": "photo/1"}')
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        page.get_by_role("button", name="Sign and approve").click()
        expect(page.locator("#key-file-error")).to_contain_text("Choose your key file first")
        page.get_by_label("Your key file").set_input_files(stray)
        press(page, "zoo")
        expect(page.locator("#key-file-error")).to_contain_text("not an officer’s key file")
    assert hours.state(number) == "asked"


def test_who_is_looked_at_neither_sees_nor_approves_it_and_who_answers_to_them_does_not_approve(
    browser: Browser, hours: Hours
) -> None:
    number, _ = hours.ask(about="Morgan Example")
    assert hours.get("md", f"/permits/{number}").status == 404
    assert hours.get("md", f"/permits/{number}/approve").status == 404
    assert hours.get("md", f"/api/permits/{number}/approval-request").status == 404
    assert number not in hours.get("md", "/permits").text
    assert sign_outside(hours, "md", number, "md").status == 404
    told = hours.get("om", f"/permits/{number}").text
    assert "You cannot decide this request" in told and "Chris Example" in told
    assert hours.get("om", f"/permits/{number}/approve").status == 403
    assert sign_outside(hours, "om", number, "om").status == 403
    assert hours.state(number) == "asked"
    with at_page(browser, hours, "chair", f"/permits/{number}/approve") as page:
        give_key(page, hours, "chair")
        expect_signed(page, number)
    assert hours.state(number) == "approved"


def test_who_asks_does_not_approve(hours: Hours) -> None:
    number, _ = hours.ask("om")
    answer = sign_outside(hours, "om", number, "om")
    assert answer.status == 403
    assert "asks for this permit" in json.loads(answer.body)["error"]
    assert hours.state(number) == "asked"


def test_it_support_with_an_officers_key_is_not_let_in(hours: Hours) -> None:
    number, _ = hours.ask()
    assert hours.get("it", f"/permits/{number}/approve").status == 403
    assert sign_outside(hours, "it", number, "md").status == 403
    assert hours.state(number) == "asked"


def test_two_officers_at_once_approve_it_once(browser: Browser, hours: Hours) -> None:
    number, _ = hours.ask()
    place = f"/permits/{number}/approve"
    with at_page(browser, hours, "md", place) as first, at_page(browser, hours, "om", place) as second:
        expect(second.locator("#approval-form")).to_be_visible()
        give_key(first, hours, "md")
        expect_signed(first, number)
        give_key(second, hours, "om")
        expect_trouble(second, "approved already")
    approval = hours.standing(number).approval
    assert approval is not None and approval.officer == "managing-director"


def test_a_tab_that_was_open_while_the_request_was_narrowed_approves_nothing(
    browser: Browser, hours: Hours
) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        expect(page.locator("#approval-form")).to_be_visible()
        narrow(hours, number, depth="envelope")
        give_key(page, hours, "md")
        expect_trouble(page, "was narrowed meanwhile")
        assert hours.state(number) == "narrowed"
        page.goto(f"{hours.console.address}/permits/{number}/approve")
        expect(page.locator("#asked")).to_contain_text("read the envelopes of the mail of Tomás Tutor")
        give_key(page, hours, "md")
        expect_signed(page, number)
    assert hours.standing(number).revision == 2


def narrow(hours: Hours, number: str, **changed: str | list[str]) -> None:
    fields = hours.narrowing(number, **changed)
    answer = hours.post("om", f"/permits/{number}/narrow", **fields, narrow="1")
    assert answer.status == 302, answer.text


@pytest.mark.parametrize("act", ["refuse", "withdraw"])
def test_what_was_refused_or_withdrawn_meanwhile_is_not_approved(
    browser: Browser, hours: Hours, act: str
) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        expect(page.locator("#approval-form")).to_be_visible()
        who = "om" if act == "refuse" else "hr"
        more = {"revision": "1"} if act == "refuse" else {}
        assert hours.post(who, f"/permits/{number}/{act}", reason="Ask Tomás first.", **more).status == 302
        give_key(page, hours, "md")
        expect_trouble(page, "final")
    assert hours.state(number) in ("refused", "withdrawn")


def test_revoking_closes_it_and_an_approval_cannot_be_used_again(hours: Hours) -> None:
    number, _ = hours.ask()
    assert sign_outside(hours, "md", number, "md").status == 200
    assert hours.released(number) > 0
    old = hours.console.home.path / "rooms" / f"{number}-1" / "approval.json"
    answer = hours.post("om", f"/permits/{number}/revoke", reason="It is settled.")
    assert answer.status == 302
    with pytest.raises((Refused, Conflict)):
        hours.released(number)
    assert send_signed(hours.session("md"), number, old.read_bytes()).status == 409
    assert hours.state(number) == "revoked"
    assert "It is settled." in hours.get("hr", f"/permits/{number}").text


def tampered(change: dict[str, Any]) -> Any:
    """Return what alters the request on its way to the page, as a console that lies would."""

    def answer(route: Route) -> None:
        response = route.fetch()
        document = response.json()
        request = json.loads(document["request"]) | change
        document["request"] = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        route.fulfill(response=response, body=json.dumps(document))

    return answer


def test_what_is_shown_is_what_is_signed_whatever_the_page_around_it_says(
    browser: Browser, hours: Hours
) -> None:
    number, _ = hours.ask()
    lie = {"subjects": [{"id": "x", "name": "Somebody Else"}]}
    with at_page(browser, hours, "md", "/permits") as page:
        page.route("**/approval-request", tampered(lie))
        page.goto(f"{hours.console.address}/permits/{number}/approve")
        expect(page.locator("#asked")).to_contain_text("the mail of Somebody Else")
        give_key(page, hours, "md")
        expect_trouble(page, "what the officer saw is not what stands here")
    assert hours.state(number) == "asked"


def test_a_request_that_changes_between_display_and_signature_is_not_fetched_again(
    browser: Browser, hours: Hours
) -> None:
    number, _ = hours.ask()
    fetched: list[str] = []
    with at_page(browser, hours, "md", f"/permits/{number}") as page:
        page.on("request", lambda each: fetched.append(each.url) if "approval-request" in each.url else None)
        page.get_by_role("link", name="Approve").click()
        expect(page.locator("#approval-form")).to_be_visible()
        page.evaluate("document.getElementById('asked').textContent = 'To read the mail of nobody.'")
        page.route("**/approval-request", tampered({"subjects": []}))
        give_key(page, hours, "md")
        expect_signed(page, number)
    assert len(fetched) == 1
    assert [each.name for each in hours.standing(number).request.subjects] == ["Tomás Tutor"]


def test_more_entries_than_the_request_names_are_not_signed(browser: Browser, hours: Hours) -> None:
    number, _ = hours.ask()

    def widen(route: Route) -> None:
        response = route.fetch()
        document = response.json()
        selection = base64.b64decode(document["selection"])
        more = (int.from_bytes(selection[-19:-11], "big") + 1).to_bytes(8, "big") + selection[-11:]
        document["selection"] = base64.b64encode(selection + more).decode()
        route.fulfill(response=response, body=json.dumps(document))

    with at_page(browser, hours, "md", "/permits") as page:
        page.route("**/approval-request", widen)
        page.goto(f"{hours.console.address}/permits/{number}/approve")
        expect_trouble(page, "not those the request names")
        expect(page.locator("#approval-form")).to_be_hidden()


def test_neither_key_nor_words_nor_any_root_of_an_epoch_leaves_the_page(
    browser: Browser, hours: Hours
) -> None:
    number, words = hours.ask()
    sent: list[bytes] = []
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        expect(page.locator("#approval-form")).to_be_visible()
        page.on("request", lambda each: sent.append(each.url.encode() + (each.post_data_buffer or b"")))
        give_key(page, hours, "md")
        expect_signed(page, number)
    private = hours.private_key("md")
    typed = (
        hours.words("md").encode().split()
    )  # a single word may stand anywhere; two in a row are the officer's
    secrets = {private.private_bytes_raw(), *(b" ".join(pair) for pair in pairwise(typed))}
    secrets |= {b"-".join(pair) for pair in pairwise(typed)}
    origin = hours.standing(number).request.origin
    roots = set()
    for share in shares(hours, number):
        for wrap in map(wraps.from_written, share.wraps):
            if wrap.key_id == wraps.key_id(private.public_key().public_bytes_raw()):
                roots.add(wraps.open_share(wrap, private, origin, share.class_id, share.epoch))
    assert roots
    all_sent = b"\n".join(sent)
    for secret in secrets | roots:
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            if len(form) > 5:
                assert form not in all_sent
    seeds = {seed for cover in hours.covers(number, words).values() for seed in cover.nodes.values()}
    assert not seeds & roots


def shares(hours: Hours, number: str) -> list[wraps.EpochWraps]:
    """Return the shares the officer was given, again from the record."""
    epochs = sorted({(item.class_id, item.epoch) for item in parse_selection(read_selection(hours, number))})
    return list(wraps_of(hours.console.home, epochs))


def test_the_sealed_key_file_is_kept_only_when_asked_and_forgotten_when_asked(
    browser: Browser, hours: Hours
) -> None:
    first, second = hours.ask()[0], hours.ask()[0]
    kept = "(async () => (await import('/static/kept_key.js')).keptKey())()"
    with at_page(browser, hours, "md", f"/permits/{first}/approve") as page:
        give_key(page, hours, "md", "zoo zoo zoo zoo zoo zoo")
        expect(page.locator("#words-error")).to_be_visible()
        assert page.evaluate(kept) is None
        page.get_by_label("Keep the sealed key file").check()
        press(page, hours.words("md"))
        expect_signed(page, first)
        assert page.evaluate(kept) == Path(hours.key_file("md")).read_text()
        assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
        page.goto(f"{hours.console.address}/permits/{second}/approve")
        expect(page.locator("#kept")).to_contain_text("Morgan Example")
        expect(page.get_by_label("Your key file")).to_be_hidden()
        press(page, hours.words("md"))
        expect_signed(page, second)
        third = hours.ask()[0]
        page.goto(f"{hours.console.address}/permits/{third}/approve")
        page.get_by_role("button", name="Forget it here").click()
        expect(page.get_by_label("Your key file")).to_be_visible()
        assert page.evaluate(kept) is None


def test_without_scripts_the_page_says_so_and_the_way_by_file_approves(
    browser: Browser, hours: Hours, tmp_path: Path
) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "md", f"/permits/{number}/approve", scripts=False) as page:
        expect(page.get_by_text("it is not running here")).to_be_visible()
        expect(page.get_by_role("button", name="Sign and approve")).to_be_hidden()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the request").click()
        bundle = Path(download.value.path()).read_bytes()
        signed = tmp_path / "signed"
        signed.write_bytes(b"{}")
        page.get_by_label("The signed approval").set_input_files(signed)
        page.get_by_role("button", name="Hand in").click()
        expect(page.locator("[aria-labelledby=refused]")).to_contain_text("no SignedApproval")
        assert hours.state(number) == "asked"
        signed.write_bytes(
            sign(read_bundle(bundle), "managing-director", hours.private_key("md"), clock_ms())
        )
        page.get_by_label("The signed approval").set_input_files(signed)
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("heading", name="is in force")).to_be_visible()
    assert hours.state(number) == "approved"


def test_the_whole_of_it_works_by_keyboard(browser: Browser, hours: Hours) -> None:
    number, _ = hours.ask()
    with at_page(browser, hours, "md", f"/permits/{number}/approve", width=1280) as page:
        expect(page.locator("#approval-form")).to_be_visible()
        page.get_by_label("Your key file").set_input_files(hours.key_file("md"))
        page.get_by_label("Your key file").focus()
        page.keyboard.press("Tab")
        page.keyboard.type(hours.words("md"))
        page.keyboard.press("Enter")
        expect_signed(page, number)
        assert page.evaluate("document.activeElement.id") == "signed"
