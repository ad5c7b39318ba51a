"""Accounts and invitations: one a person, one use, three days, and the roles a person acts in at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from muniment.people.account import Account, Invitation
from muniment.people.account_example import draw_password, make_example_accounts
from muniment.people.account_invitation import OPEN_FOR, invite, invited_account, lock, use
from muniment.people.example_people import EXAMPLE_PEOPLE, SHEET, people_of
from muniment.people.models import Address, Person
from muniment.people.register import addresses_of, import_people, roles_of
from muniment.people.role import Role
from muniment.people.sign_in import acting_roles, open_account, person_called, vouched_account
from muniment.policy.errors import Conflict, Missing, Refused
from muniment.policy.policyfile import PolicyFile, parse
from muniment.record.home import Home
from tests.organisation import policy_bytes

from .files import EVERYBODY, FRIDAY, MONDAY, TUESDAY, people_file, row
from .test_command import SAMPLE

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def people() -> dict[str, Person]:
    import_people(people_file(*EVERYBODY), moment=MONDAY, example=True)
    return {person.external_id: person for person in Person.objects.all()}


def test_an_account_has_the_first_address_of_its_person_and_there_is_one_a_person(
    people: dict[str, Person],
) -> None:
    account = open_account(people["tomas"], TUESDAY)
    assert account.email == "tomas@training.example"
    assert open_account(people["tomas"], FRIDAY).pk == account.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(person=people["tomas"], email="other@training.example", made=TUESDAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(person=people["olive"], email=account.email, made=TUESDAY)


def test_somebody_without_an_address_cannot_be_invited(people: dict[str, Person]) -> None:
    import_people(people_file(row("nobody")), moment=TUESDAY, example=True)
    with pytest.raises(Conflict, match="has no mail address"):
        invite(person_called("nobody", FRIDAY), FRIDAY)
    assert not Account.objects.exists()


def test_an_account_follows_its_persons_address_and_takes_nobody_elses(people: dict[str, Person]) -> None:
    tomas = open_account(people["tomas"], TUESDAY)
    moved = people_file(
        row("tomas", addresses="t.tutor@training.example"), row("stella", addresses="tomas@training.example")
    )
    import_people(moved, moment=FRIDAY, example=True)
    assert vouched_account("tomas@training.example", TUESDAY) == tomas
    assert vouched_account("Tomas@Training.Example", FRIDAY) is None, "it is Stella's now"
    assert open_account(people["stella"], FRIDAY).email == "tomas@training.example"
    assert vouched_account("tomas@training.example", FRIDAY) != tomas
    tomas.refresh_from_db()
    assert (tomas.email, tomas.person) == ("t.tutor@training.example", people["tomas"])
    assert vouched_account("not an address", FRIDAY) is None
    assert vouched_account("", FRIDAY) is None


def test_the_address_of_somebody_who_left_serves_whoever_has_it_next(people: dict[str, Person]) -> None:
    left = open_account(people["tomas"], TUESDAY)
    import_people(
        people_file(row("olive"), row("stella", addresses="tomas@training.example"), row("morgan")),
        moment=FRIDAY,
        example=True,
        complete=True,
    )
    assert open_account(people["stella"], FRIDAY).email == "tomas@training.example"
    left.refresh_from_db()
    assert left.email.endswith("@without-address.invalid")


@pytest.mark.parametrize(
    ("started", "ended", "closed", "is_active"),
    [
        (-1, None, None, True),
        (-1, 1, None, True),
        (-2, -1, None, False),
        (1, None, None, False),
        (-1, None, -1, False),
        (-1, None, 1, True),
    ],
)
def test_an_account_is_active_exactly_while_its_person_is_here(
    started: int, ended: int | None, closed: int | None, is_active: bool
) -> None:
    now = datetime.now(UTC)

    def at(days: int | None) -> datetime | None:
        return None if days is None else now + timedelta(days=days)

    person = Person.objects.create(external_id="x", name="X", started=at(started) or now, ended=at(ended))
    account = Account.objects.create(person=person, email="x@training.example", made=now, closed=at(closed))
    assert account.is_active is is_active


def test_an_invitation_is_open_once_and_for_three_days(people: dict[str, Person]) -> None:
    made = invite(people["tomas"], MONDAY)
    assert invited_account(made.secret, MONDAY).email == "tomas@training.example"
    assert invited_account(made.secret, MONDAY + OPEN_FOR - timedelta(seconds=1))
    for moment in (MONDAY + OPEN_FOR, FRIDAY + timedelta(days=300)):
        with pytest.raises(Missing, match="not open"):
            use(made.secret, moment, "a-password-of-some-length")
    account = use(made.secret, TUESDAY, "a-password-of-some-length")
    assert account.check_password("a-password-of-some-length")
    with pytest.raises(Missing, match="not open"):
        use(made.secret, TUESDAY, "somebody-elses-password")
    account.refresh_from_db()
    assert account.check_password("a-password-of-some-length")


def test_a_newer_invitation_ends_an_earlier_one_and_one_persons_is_nobody_elses(
    people: dict[str, Person],
) -> None:
    first, second = invite(people["tomas"], MONDAY), invite(people["tomas"], MONDAY)
    other = invite(people["stella"], MONDAY)
    with pytest.raises(Missing):
        invited_account(first.secret, MONDAY)
    assert invited_account(second.secret, MONDAY).person == people["tomas"]
    assert invited_account(other.secret, MONDAY).person == people["stella"]


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "é" * 20, "A" * 100_000])
def test_what_is_no_invitation_opens_nothing(people: dict[str, Person], secret: str) -> None:
    invite(people["tomas"], MONDAY)
    with pytest.raises(Missing):
        invited_account(secret, MONDAY)


def test_the_secret_of_an_invitation_is_stored_nowhere(people: dict[str, Person]) -> None:
    made = invite(people["tomas"], MONDAY)
    [stored] = Invitation.objects.values_list("digest", flat=True)
    assert made.secret not in stored and len(made.secret) == 43
    with pytest.raises(Missing):
        invited_account(stored, MONDAY)


def test_an_invitation_of_somebody_who_left_opens_nothing(people: dict[str, Person]) -> None:
    made = invite(people["tomas"], MONDAY)
    Person.objects.filter(external_id="tomas").update(ended=TUESDAY)
    with pytest.raises(Missing):
        invited_account(made.secret, TUESDAY)
    with pytest.raises(Missing, match="nobody called 'tomas' is here"):
        person_called("tomas", FRIDAY)


def test_a_passkey_takes_the_place_of_a_password(people: dict[str, Person]) -> None:
    account = use(invite(people["tomas"], MONDAY).secret, MONDAY, None)
    assert not account.has_usable_password()


def test_a_second_factor_goes_only_when_the_invitation_says_so(people: dict[str, Person]) -> None:
    from allauth.mfa.models import Authenticator

    account = open_account(people["olive"], MONDAY)
    Authenticator.objects.create(user=account, type="totp", data={"secret": "x"})
    use(invite(people["olive"], MONDAY).secret, MONDAY, "a-password-of-some-length")
    assert Authenticator.objects.filter(user=account).count() == 1
    invite(people["olive"], MONDAY, forget_second_factor=True)
    assert Authenticator.objects.filter(user=account).count() == 0


def test_a_locked_account_opens_by_nothing_but_a_new_invitation(people: dict[str, Person]) -> None:
    from allauth.mfa.models import Authenticator

    account = use(invite(people["olive"], MONDAY).secret, MONDAY, "a-password-of-some-length")
    Authenticator.objects.create(user=account, type="totp", data={"secret": "x"})
    before, waiting = account.get_session_auth_hash(), invite(people["olive"], MONDAY)
    lock(people["olive"], TUESDAY)
    account.refresh_from_db()
    assert not account.is_active and not account.has_usable_password()
    assert account.get_session_auth_hash() != before
    assert not Authenticator.objects.exists()
    with pytest.raises(Missing):
        invited_account(waiting.secret, TUESDAY)
    again = use(invite(people["olive"], TUESDAY).secret, TUESDAY, "another-password-of-length")
    assert again.is_active and again.check_password("another-password-of-length")
    with pytest.raises(Missing, match="nothing to lock"):
        lock(people["tomas"], TUESDAY)


def policy(**overrides: Any) -> PolicyFile:
    return parse(policy_bytes(**overrides))


def test_whoever_holds_an_officers_address_acts_as_that_officer_and_only_while_they_do(
    people: dict[str, Person],
) -> None:
    officers = policy(officers__2__address="STELLA@training.example").officers
    assert acting_roles(people["stella"], TUESDAY, officers) == {Role.STUDENT, Role.ALTERNATE}
    assert acting_roles(people["tomas"], TUESDAY, officers) == {Role.STAFF}
    Address.objects.filter(person=people["stella"]).update(ended=FRIDAY)
    assert acting_roles(people["stella"], FRIDAY, officers) == {Role.STUDENT}
    assert roles_of(people["stella"], FRIDAY) == {Role.STUDENT}


def test_the_example_has_its_people_with_accounts_and_a_sheet_and_repeats_safely(tmp_path: Path) -> None:
    home, found = Home(tmp_path), policy()
    make_example_accounts(home, found, FRIDAY)
    sheet = tmp_path / "sheets" / SHEET
    first = sheet.read_text()
    assert first.count("EXAMPLE") >= 4 and sheet.stat().st_mode & 0o777 == 0o600
    assert Account.objects.count() == Person.objects.count() == len(EXAMPLE_PEOPLE)
    password = next(line.strip() for line in first.splitlines() if line.count("-") == 3)
    account = Account.objects.get(email="ida@training.example")
    assert account.check_password(password) and password not in account.password
    assert addresses_of(account.person, datetime(FRIDAY.year - 1, 1, 2, tzinfo=UTC)) == (
        "ida@training.example",
    )
    make_example_accounts(home, found, FRIDAY + timedelta(days=1))
    assert sheet.read_text() == first
    sheet.unlink()
    make_example_accounts(home, found, FRIDAY + timedelta(days=1))
    assert sheet.read_text() != first
    assert not Account.objects.get(pk=account.pk).check_password(password)


def test_the_examples_officers_are_those_of_its_policy_file(tmp_path: Path) -> None:
    found = policy(officers__0__address="boss@training.example", officers__0__name="Bo Boss")
    make_example_accounts(Home(tmp_path), found, FRIDAY)
    director = person_called("md", FRIDAY)
    assert (director.name, addresses_of(director, FRIDAY)) == ("Bo Boss", ("boss@training.example",))
    assert Role.MANAGING_DIRECTOR in acting_roles(director, FRIDAY, found.officers)
    two = policy(officers=[*_tables()[:1], *_tables()[2:]])
    assert "om" not in {each.id for each in people_of(two)}
    assert all(each.manager != "om" for each in people_of(two))


def _tables() -> list[dict[str, Any]]:
    from tests.organisation import policy_table

    return list(policy_table()["officers"])


def test_the_documentations_sample_goes_on_where_the_example_begins(tmp_path: Path) -> None:
    now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    make_example_accounts(Home(tmp_path), policy(), now)
    plan = import_people(SAMPLE.read_bytes(), moment=now, example=True)
    assert plan.mistakes == []
    assert {change.external_id for change in plan.added} == {"connor-cable", "gus-guest"}
    assert {change.external_id for change in plan.changed} == {"om", "hr", "tomas"}
    assert {change.external_id for change in plan.ended} == {"stella"}


def test_a_real_organisation_gets_no_invented_people(tmp_path: Path) -> None:
    real = policy(example=..., sink=..., policy__revised=date(2026, 11, 1))
    with pytest.raises(Refused, match="no invented people"):
        make_example_accounts(Home(tmp_path), real, FRIDAY)
    assert not Person.objects.exists() and not (tmp_path / "sheets").exists()


def test_a_drawn_password_is_long_and_never_the_same() -> None:
    drawn = {draw_password() for _ in range(200)}
    assert len(drawn) == 200
    assert all(len(password) == 19 for password in drawn)
