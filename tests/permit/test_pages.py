"""The pages of permits as people meet them: in Chromium, light and dark, wide and narrow; axe, keyboard, print."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.permit.modules import chromium
from tests.permit.office_hours import Hours, at_page, sign_outside
from tests.site.console import up

VIEWS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
OPEN, REFUSED, GRANTED, DELAYED = "2026-001", "2026-002", "2026-003", "2026-004"


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hours]:
    with up(tmp_path_factory.mktemp("permits")) as console:
        yield prepared(Hours(console))


def prepared(hours: Hours) -> Hours:
    """Bring about every state that a page shows."""
    hours.numbers = [hours.ask()[0] for _ in range(4)]
    _, refused, granted, delayed = hours.numbers
    reason = "Ask the awarding body first.\nThen ask again."
    assert hours.post("md", f"/permits/{refused}/refuse", reason=reason, revision="1").status == 302
    assert sign_outside(hours, "md", granted, "md").status == 200
    assert sign_outside(hours, "md", delayed, "md").status == 200
    later = {"until": hours.day(40), "ground": "prejudice", "reason": "He would delete the drafts."}
    assert hours.post("md", f"/permits/{delayed}/delay", **later).status == 302
    exemption = {
        "sites": "news.example\nbets.example",
        "start": hours.day(0),
        "until": hours.day(3),
        "purpose": "SEC",
        "reason": "An alarm names these sites.",
        "alternative": "The log alone does not say what is served there.",
        "days": "5",
    }
    assert hours.post("tomas", "/permits/exemptions", **exemption).status == 302
    return hours


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def places(hours: Hours) -> list[tuple[str, str]]:
    """Return who looks at what."""
    waiting, refused, granted, delayed = hours.numbers
    officer = [
        "/permits",
        "/permits/away",
        *(f"/permits/{waiting}{end}" for end in ("", "/approve", "/narrow", "/refuse")),
    ]
    officer += [f"/permits/{granted}{end}" for end in ("", "/revoke", "/delay")]
    officer += [f"/permits/{delayed}", f"/permits/{delayed}/end-delay", f"/permits/{refused}"]
    asker = ["/permits", "/permits/ask", f"/permits/{waiting}", f"/permits/{waiting}/withdraw"]
    asker += [f"/permits/{refused}", f"/permits/{granted}", f"/permits/{granted}/shielded"]
    others = [("dpo", "/permits"), ("auditor", f"/permits/{waiting}"), ("tomas", "/permits/exemptions")]
    return [("md", place) for place in officer] + [("hr", place) for place in asker] + others


def check(page: Page, width: int) -> None:
    """Hold what every page promises."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
@pytest.mark.parametrize("who", ["md", "hr", "dpo", "auditor", "tomas"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, hours: Hours, who: str, scheme: str, width: int
) -> None:
    with at_page(browser, hours, who, "/permits/exemptions", width=width) as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for person, place in places(hours):
            if person == who:
                answer = page.goto(hours.console.address + place)
                assert answer is not None and answer.status == 200, place
                if place.endswith("/approve"):
                    expect(page.locator("#approval-form")).to_be_visible()
                check(page, width)


@pytest.mark.parametrize("width", [1280, 390])
def test_twice_the_size_of_text_still_fits(browser: Browser, hours: Hours, width: int) -> None:
    waiting = hours.numbers[0]
    with at_page(browser, hours, "md", "/permits", width=width) as page:
        for place in (
            "/permits",
            f"/permits/{waiting}",
            f"/permits/{waiting}/approve",
            f"/permits/{waiting}/narrow",
        ):
            page.goto(hours.console.address + place)
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place


def test_the_forms_say_at_each_field_what_to_mend(browser: Browser, hours: Hours) -> None:
    with at_page(browser, hours, "hr", "/permits/ask", width=1280) as page:
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("[aria-labelledby=refused]")).to_contain_text("Nothing was recorded")
        for name, said in (
            ("From day", "Give a day"),
            ("Why", "Say what you need to find out"),
            ("What less intrusive", "Say what you tried"),
        ):
            field = page.get_by_label(name, exact=name == "Why")
            assert field.get_attribute("aria-invalid") == "true"
            error = field.get_attribute("aria-describedby").split()[-1]  # type: ignore[union-attr]
            expect(page.locator(f"#{error}")).to_contain_text(said)
        expect(page.get_by_text("Name at least one person")).to_be_visible()
        expect(page.get_by_text("Choose what it is for")).to_be_visible()
        check(page, 1280)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"purpose": "OPS"}, "This purpose sees envelopes only."),
        ({"purpose": "SAR", "case": ""}, "give the number of its case, request or order"),
        ({"purpose": "USE", "case": ""}, "messages open only for a named case or alarm"),
        ({"purpose": "OTHER"}, "needs the data protection officer’s view in writing"),
        ({"start": "2026-09-02", "until": "2026-09-01"}, "The last day is before the first"),
        ({"people": []}, "Name at least one person"),
        ({"people": ["nobody"]}, "Choose people from the list"),
        ({"addresses": "not an address"}, "not an address"),
        ({"readers": "stranger@elsewhere.example"}, "Nobody here holds stranger@elsewhere.example"),
        ({"days": "32"}, "A permit lasts 1 to 31 days"),
        ({"streams": []}, "Choose at least one."),
        ({"purpose": "NOSY"}, "NOSY"),
    ],
)
def test_what_the_purpose_or_the_dates_do_not_allow_is_said_and_not_recorded(
    hours: Hours, changed: dict[str, str | list[str]], said: str
) -> None:
    before = len(hours.permits())
    answer = hours.post("hr", "/permits/ask", **hours.asking(**changed))
    assert answer.status == 400
    assert said in answer.text
    assert len(hours.permits()) == before


def test_who_was_ticked_stays_ticked_while_somebody_else_is_sought(hours: Hours) -> None:
    fields = hours.asking() | {"find": "stella train", "find-people": "1"}
    del fields["ask"]
    page = hours.post("hr", "/permits/ask", **fields).text
    assert f'value="{hours.person("Tomás Tutor")}" checked' in page
    assert "Stella Student" in page and "Olive Example" not in page
    assert "Results were changed; who asked for it?" in page


def test_a_form_sent_twice_asks_once(hours: Hours) -> None:
    before = len(hours.permits())
    fields = hours.asking() | {"once": "the-same"}
    assert hours.post("hr", "/permits/ask", **fields).status == 200
    assert hours.post("hr", "/permits/ask", **fields).status == 302
    assert len(hours.permits()) == before + 1


def test_who_asks_hears_bands_and_officers_exact_numbers(hours: Hours) -> None:
    waiting = hours.numbers[0]
    entries = hours.standing(waiting).request.entries
    assert entries == 10
    assert "<dd>10–49</dd>" in hours.get("hr", f"/permits/{waiting}").text
    assert "<dd>10</dd>" not in hours.get("hr", f"/permits/{waiting}").text
    assert "<dd>10</dd>" in hours.get("md", f"/permits/{waiting}").text
    assert "<svg" in hours.get("md", f"/permits/{waiting}").text.partition('class="chart"')[2]


def test_who_asked_sees_the_refusal_with_its_reason_and_clause(hours: Hours) -> None:
    page = hours.get("hr", f"/permits/{hours.numbers[1]}").text
    assert "Refused by Morgan Example" in page
    assert "Ask the awarding body first.<br>Then ask again." in page
    assert "clause 5.3" in page
    assert "Ask again more narrowly" in page


@pytest.mark.parametrize(
    ("who", "status"), [("it", 404), ("safeguarding", 404), ("tomas", 403), ("stella", 403)]
)
def test_a_permit_of_others_is_not_there(hours: Hours, who: str, status: int) -> None:
    granted = hours.numbers[2]
    assert hours.get(who, f"/permits/{granted}").status == status
    for act in ("revoke", "withdraw", "shielded", "approve", "narrow", "refuse", "delay", "request.json"):
        assert hours.get(who, f"/permits/{granted}/{act}").status in (403, 404), act
    assert hours.get(who, f"/api/permits/{granted}/approval-request").status in (403, 404)
    assert granted not in hours.get(who, "/permits").text
    assert hours.get("hr", "/permits/2026-999").status == 404


def test_the_auditor_sees_and_cannot_act(hours: Hours) -> None:
    granted = hours.numbers[2]
    page = hours.get("auditor", f"/permits/{granted}").text
    assert "In force" in page and "Revoke" not in page and "Delay the notice" not in page
    assert hours.get("auditor", f"/permits/{granted}/approve").status == 403
    assert hours.post("auditor", f"/permits/{granted}/revoke", reason="Because.").status == 403
    assert hours.state(granted) == "approved"


def test_narrowing_counts_before_anything_is_recorded(hours: Hours) -> None:
    number, _ = hours.ask(about="Tomás Tutor, Stella Student")
    both = hours.standing(number).request.entries
    fields = hours.narrowing(number, people=[hours.person("Stella Student")])
    counted = hours.post("md", f"/permits/{number}/narrow", **fields, count="1")
    assert counted.status == 200
    assert f"instead of {both}" in counted.text
    assert hours.standing(number).revision == 1
    assert hours.post("md", f"/permits/{number}/narrow", **fields, narrow="1").status == 302
    narrowed = hours.standing(number).request
    assert [each.name for each in narrowed.subjects] == ["Stella Student"]
    assert f'<b class="num">{narrowed.entries}</b>' in counted.text
    assert 0 < narrowed.entries < both


def test_narrowing_says_what_cannot_be(hours: Hours) -> None:
    number, _ = hours.ask()
    place = f"/permits/{number}/narrow"
    same = hours.post("md", place, **hours.narrowing(number), count="1")
    assert "nothing would be narrower" in same.text.lower()
    nobody = hours.post("md", place, **hours.narrowing(number, people=[]), count="1")
    assert "nothing would be left" in nobody.text.lower()
    silent = hours.narrowing(number, depth="envelope", reason="")
    assert "Whoever asked reads it" in hours.post("md", place, **silent, narrow="1").text
    stale = hours.narrowing(number, depth="envelope") | {"revision": "7"}
    assert hours.post("md", place, **stale, narrow="1").status == 409
    assert hours.standing(number).revision == 1


def test_a_request_the_law_demands_is_not_refused_without_an_exemption(hours: Hours) -> None:
    number, _ = hours.ask(purpose="SAR", case="SAR 2026/4")
    place = f"/permits/{number}/refuse"
    alone = hours.post("md", place, reason="Too much work.", revision="1")
    assert alone.status == 403 and "name the exemption you rely on" in alone.text
    assert hours.state(number) == "asked"
    assert hours.post("md", place, reason="Too wide.", advice="Sch 2 para 5", revision="1").status == 302
    assert "Sch 2 para 5" in hours.get("hr", f"/permits/{number}").text


def test_only_the_managing_director_delays_a_notice_for_the_matter_s_sake(hours: Hours) -> None:
    granted, delayed = hours.numbers[2:]
    order = {"until": hours.day(20), "ground": "prejudice", "reason": "He would delete it."}
    refused = hours.post("om", f"/permits/{granted}/delay", **order)
    assert refused.status == 403 and "Morgan Example can" in refused.text
    too_long = hours.post("md", f"/permits/{granted}/delay", **(order | {"until": hours.day(100)}))
    assert too_long.status == 400 and "at most 92 days" in too_long.text
    page = hours.get("md", f"/permits/{delayed}").text
    assert "telling would spoil the matter" in page and "Let them be told now" in page


def test_while_both_officers_are_away_the_alternate_decides(hours: Hours) -> None:
    number, _ = hours.ask()
    assert hours.get("chair", f"/permits/{number}/approve").status == 403
    refused = hours.post("chair", "/permits/away", officer="managing-director", until=hours.day(5))
    assert refused.status == 403
    for officer in ("managing-director", "office-manager"):
        assert hours.post("md", "/permits/away", officer=officer, until=hours.day(5)).status == 302
    try:
        assert "away until" in hours.get("hr", "/permits").text
        assert hours.get("chair", f"/permits/{number}/approve").status == 200
    finally:
        for officer in ("managing-director", "office-manager"):
            assert hours.post("om", "/permits/away", officer=officer, until="").status == 302
    assert hours.get("chair", f"/permits/{number}/approve").status == 403


def test_the_heaviest_page_stays_light(browser: Browser, hours: Hours) -> None:
    loaded: dict[str, int] = {}
    with at_page(browser, hours, "md", "/permits") as page:
        page.on("response", lambda answer: loaded.update({answer.url: len(answer.body())}))
        page.goto(f"{hours.console.address}/permits/{hours.numbers[0]}/approve")
        expect(page.locator("#approval-form")).to_be_visible()
        page.wait_for_load_state("networkidle")
    scripts = [url for url in loaded if url.endswith(".js")]
    assert len(scripts) == 13
    assert sum(size for url, size in loaded.items() if "approval-request" not in url) < 150_000


def test_a_renewal_is_a_request_of_its_own_and_only_its_asker_s(hours: Hours) -> None:
    granted = hours.numbers[2]
    other = hours.post("it", f"/permits/{granted}/renew", form_at="/permits/ask")
    assert other.status == 404
    answer = hours.post("hr", f"/permits/{granted}/renew", form_at=f"/permits/{granted}")
    assert answer.status == 302
    renewed = answer.headers["location"].rpartition("/")[2]
    assert hours.standing(renewed).request.parent == granted
    assert hours.state(renewed) == "asked"


def test_what_stayed_sealed_needs_a_second_permit(hours: Hours) -> None:
    granted = hours.numbers[2]
    fields = {name: hours.asking()[name] for name in ("purpose", "case", "reason", "alternative", "days")}
    answer = hours.post("hr", f"/permits/{granted}/shielded", **fields)
    assert answer.status == 200, answer.text
    asked = hours.standing(max(hours.permits())).request
    assert (asked.kind, asked.parent) == ("shielded", granted)
    assert asked.entries == hours.standing(granted).request.shielded


def test_an_exemption_shows_its_decision_to_who_asked(hours: Hours) -> None:
    page = hours.get("tomas", "/permits/exemptions").text
    assert "bets.example and news.example" in page
    assert "Waits for an officer" in page
    assert "Muniment does not guard the web yet" in page


def test_an_exemption_is_narrowed_by_site_and_approved_without_keys(browser: Browser, hours: Hours) -> None:
    number = next(each for each in hours.permits() if hours.standing(each).request.kind == "exemption")
    standing = hours.standing(number)
    fields = {"people": ["news.example"], "start": hours.day(0), "until": hours.day(3), "days": "5"}
    fields |= {"depth": standing.request.depth, "reason": "One will do.", "revision": "1", "narrow": "1"}
    assert hours.post("md", f"/permits/{number}/narrow", **fields).status == 302
    assert hours.standing(number).request.sites == ("news.example",)
    with at_page(browser, hours, "md", f"/permits/{number}/approve") as page:
        expect(page.locator("#asked")).to_contain_text("To let Tomás Tutor visit news.example")
        page.get_by_label("Your key file").set_input_files(hours.key_file("md"))
        page.get_by_label("Your six words").fill(hours.words("md"))
        page.get_by_role("button", name="Sign and approve").click()
        expect(page.get_by_role("heading", name="is in force")).to_be_visible(timeout=30_000)
    assert hours.state(number) == "approved"
    assert "In force" in hours.get("tomas", "/permits/exemptions").text


def test_the_printed_sheet_holds_the_words_and_little_else(browser: Browser, hours: Hours) -> None:
    with at_page(browser, hours, "hr", "/permits/ask", width=1280) as page:
        page.get_by_label("Tomás Tutor").check()
        page.get_by_label("From day").fill("2026-01-01")
        page.get_by_label("To day, included").fill("2026-11-01")
        page.get_by_label("Alleged misconduct").check()
        page.get_by_label("Case, request").fill("2026/17")
        page.get_by_label("Why", exact=True).fill("Who asked for it?")
        page.get_by_label("What less intrusive").fill("The log.")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".words li")).to_have_count(6)
        check(page, 1280)
        page.emulate_media(media="print")
        expect(page.locator(".words")).to_be_visible()
        expect(page.get_by_text("Keep this sheet locked away")).to_be_visible()
        for hidden in ("nav.nav", ".foot", ".actions"):
            expect(page.locator(hidden).first).to_be_hidden()
        page.reload()


def test_the_keyboard_reaches_every_control_of_the_officers_page(browser: Browser, hours: Hours) -> None:
    waiting = hours.numbers[0]
    with at_page(browser, hours, "md", f"/permits/{waiting}", width=390) as page:
        wanted = page.evaluate(
            "[...document.querySelectorAll('a[href], button, summary')].filter((each) => each.checkVisibility()).length"
        )
        reached = set()
        for _ in range(wanted):
            page.keyboard.press("Tab")
            place, outline = page.evaluate(
                "[[...document.querySelectorAll('*')].indexOf(document.activeElement),"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
            assert outline == "solid"
            reached.add(place)
        assert len(reached) == wanted
