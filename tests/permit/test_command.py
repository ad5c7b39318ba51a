"""`muniment permit` and `muniment approve` as processes of their own, from the question to the signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from muniment.policy.errors import BadInput, Conflict, Missing, Refused, Unavailable
from muniment.record import keyfile
from muniment.record.client import Recorder
from muniment.record.entry import Capture, Channel, Direction, Entry, Retention, Stream
from muniment.record.home import Home
from muniment.record.opening import clock_ms
from muniment.site import prepare
from tests.cli.terminal import terminal
from tests.people.files import people_file
from tests.people.test_command import Ended, muniment
from tests.permit.desk import OFFICERS, PEOPLE, TOMAS, private_key, serving
from tests.permit.vectors import WORDS
from tests.record.recording import check_record, make_home, message


@dataclass(frozen=True)
class Place:
    """A home with a running recorder, and a folder that stands for the officer's own machine."""

    home: Home
    elsewhere: Path

    def permit(self, action: str, *words: object) -> Ended:
        return muniment("permit", action, *words, "--home", self.home.path)

    def ask(self, *words: object) -> Ended:
        plain = ["--purpose", "CASE", "--case", "2026/17", "--reason", "Who?", "--alternative", "Asked."]
        when = ["--from", "2026-01-01", "--until", "2026-11-26", "--person", "tomas", "--as", "ida"]
        return self.permit("ask", *plain, *when, *words, "--json")

    def key(self, name: str = "morgan") -> Path:
        """Write an officer's key file on their own machine, and return it."""
        path = self.elsewhere / f"{name}.json"
        data = keyfile.write_key(OFFICERS.get(name, name), name, private_key(name), WORDS, example=True)
        path.write_bytes(data)
        return path

    def bundle(self, number: str) -> Path:
        path = self.elsewhere / f"{number}.request"
        assert self.permit("bundle", number, "--output", path).code == 0
        return path

    def approve(self, request: Path, *more: object, key: str = "morgan") -> Ended:
        (self.elsewhere / "words").write_text(WORDS)
        return muniment(
            "approve", request, "--key", self.key(key), "--words-file", self.elsewhere / "words", *more
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("command")
    home = make_home(folder, clock_ms)
    prepare(home)
    (folder / "people.csv").write_bytes(people_file(*PEOPLE))
    assert muniment("people", "import", folder / "people.csv", "--home", home.path).code == 0
    (folder / "elsewhere").mkdir()
    with serving(home, clock_ms):
        with Recorder(home.socket) as recorder:
            recorder.append([_mail(), _mail()])
            recorder.publish()
        yield Place(home, folder / "elsewhere")
    check_record(home)


def _mail() -> Entry:
    return Entry(
        stream=Stream.MAIL_GATEWAY,
        channel=Channel.SMTP,
        retention=Retention.MAIL,
        capture=Capture.WIRE,
        direction=Direction.OUTBOUND,
        addresses=(TOMAS, "someone@outside.example"),
        content=message(),
    )


def test_a_permit_is_asked_for_approved_elsewhere_and_handed_in(place: Place) -> None:
    """R-5.2-f"""
    asked = place.ask().value
    assert asked["entries"] == "1-9" and len(asked["words"].split("-")) == 6
    request = place.bundle(asked["number"])
    approved = place.approve(request)
    assert approved.code == 0
    for expected in ("Tomás Tutor", "Ida Byte", "2 entries", "2026/17", "14 days"):
        assert expected in approved.err
    decided = place.permit("decide", f"{request}.approved")
    assert decided.code == 0 and "is approved until" in decided.out
    shown = place.permit("show", asked["number"]).out
    assert "approved, until" in shown and "approve by managing-director" in shown
    assert place.permit("decide", f"{request}.approved").code == Conflict.exit_code
    revoked = place.permit("revoke", asked["number"], "--as", "office-manager", "--reason", "Done.")
    assert revoked.code == 0
    assert place.permit("check").out == "The console's rows say what the record says.\n"


def test_the_officer_decides_where_there_is_no_home(place: Place) -> None:
    """The words are typed at the terminal; nothing of the key is printed."""
    number = place.ask().value["number"]
    request, key = place.bundle(number), place.key()
    with terminal(["approve", str(request), "--key", str(key)], place.elsewhere) as person:
        person.wait_for("Your six words approve it")
        person.type(WORDS.replace("-", " "))
        assert person.finish() == 0
    assert WORDS.split("-")[3] not in person.shown.split("approve it")[1]
    assert place.permit("decide", f"{request}.approved").code == 0


def test_ctrl_c_leaves_the_request_undecided(place: Place) -> None:
    request, key = place.bundle(place.ask().value["number"]), place.key()
    with terminal(["approve", str(request), "--key", str(key)], place.elsewhere) as person:
        person.wait_for("Your six words approve it")
        person.press(b"\x03")
        assert person.finish() == 130
    assert not Path(f"{request}.approved").exists()


def test_a_refusal_names_the_clause_and_who_can_decide(place: Place) -> None:
    """R-5.2-g"""
    number = place.ask("--person", "olive").value["number"]
    refused = place.permit("refuse", number, "--as", "office-manager", "--reason", "No.")
    assert refused.code == Refused.exit_code
    assert "R-5.2-g" in refused.err and "Morgan Example (morgan@training.example) can decide" in refused.err
    signed = place.approve(place.bundle(number), key="olive")
    assert signed.code == 0  # her key signs; the record does not take it
    handed_in = place.permit("decide", place.elsewhere / f"{number}.request.approved")
    assert handed_in.code == Refused.exit_code


def test_a_purpose_that_does_not_allow_it_is_refused(place: Place) -> None:
    refused = place.ask("--purpose", "OPS")
    assert refused.code == Refused.exit_code and "R-5.3-e" in refused.err


def test_a_request_is_narrowed_by_an_officer_and_by_who_asked(place: Place) -> None:
    number = place.ask().value["number"]
    reason = ["--reason", "Less will do."]
    assert place.permit("narrow", number, "--as", "managing-director", *reason, "--days", "3").code == 0
    narrowed = place.permit("narrow", number, "--as", "ida", *reason, "--envelope", "--from", "2026-02-01")
    assert narrowed.code == 0 and "revision 3" in narrowed.out
    shown = place.permit("show", number).out
    assert "3 days" in shown and "not the subject" in shown and "from 1 February 2026" in shown
    assert place.permit("narrow", number, "--as", "ida", *reason, "--days", "9").code == BadInput.exit_code
    assert place.permit("narrow", number, "--as", "hana", *reason, "--days", "2").code == Refused.exit_code


def test_withdrawn_and_listed(place: Place) -> None:
    number = place.ask().value["number"]
    assert place.permit("withdraw", number, "--as", "hana", "--reason", "x").code == Refused.exit_code
    assert place.permit("withdraw", number, "--as", "ida", "--reason", "Found otherwise.").code == 0
    listed = json.loads(place.permit("list", "--state", "withdrawn", "--json").out)["permits"]
    assert number in [each["number"] for each in listed]


def test_a_delay_needs_its_day_and_its_officer(place: Place) -> None:
    number = place.ask().value["number"]
    words = [number, "--as", "managing-director", "--reason", "He would delete it."]
    assert place.permit("delay", *words, "--ground", "prejudice").code == BadInput.exit_code
    assert place.permit("delay", *words, "--ground", "prejudice", "--until", "2026-12-10").code == 0
    assert place.permit("delay", *words, "--end").code == 0
    assert place.permit("delay", *words, "--end").code == Conflict.exit_code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("permit", "show", "2026-999"), Missing.exit_code),
        (("permit", "decide", "nowhere"), Missing.exit_code),
    ],
)
def test_what_is_not_there_is_missing(place: Place, words: tuple[str, ...], code: int) -> None:
    assert muniment(*words, "--home", place.home.path).code == code


def test_other_words_and_other_files_approve_nothing(place: Place) -> None:
    request = place.bundle(place.ask().value["number"])
    (place.elsewhere / "other").write_text("zoo zoo zoo zoo zoo zoo")
    wrong = muniment("approve", request, "--key", place.key(), "--words-file", place.elsewhere / "other")
    assert wrong.code == BadInput.exit_code and "zoo" not in wrong.err
    silent = muniment("approve", request, "--key", place.key())
    assert silent.code == Unavailable.exit_code and "--words-file" in silent.err
    assert muniment("approve", place.key(), "--key", place.key()).code == BadInput.exit_code
    assert muniment("approve", request, "--key", request).code == BadInput.exit_code
    assert muniment("approve", place.elsewhere / "none", "--key", place.key()).code == Missing.exit_code
    assert place.approve(request).code == 0
    assert place.approve(request).code == Conflict.exit_code  # never over a file that is there


def test_a_stranger_to_the_register_asks_for_nothing(place: Place) -> None:
    assert place.ask("--as", "nobody").code == Missing.exit_code
