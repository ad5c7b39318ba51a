"""The policy file is taken whole or not at all, and each mistake names its key, clause and mend."""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.policy.errors import BadInput, Missing
from muniment.policy.gateway import HopTLS
from muniment.policy.policyfile import load, parse
from tests import organisation
from tests.organisation import policy_bytes, policy_table, policy_text, to_toml

MISTAKES = [
    # unknown keys
    ({"organization": {"name": "X"}}, "organization", "R-2.2-b", "Did you mean organisation?"),
    ({"gateway__tls_kye": "k"}, "gateway.tls_kye", "R-4.1-a", "Did you mean tls_key?"),
    ({"officers__1__zzz": 1}, "officers[2].zzz", "R-5.2-f", "known here: address, id, name"),
    ({"digest": "00"}, "digest", "R-1.P-a", "Take it out"),
    # particulars
    ({"organisation__name": ...}, "organisation.name", "R-2.2-b", "is missing"),
    ({"organisation__part_of_uk": ...}, "organisation.part_of_uk", "R-2.2-b", "is missing"),
    ({"organisation__company_number": ...}, "organisation.company_number", "R-2.2-b", "is missing"),
    ({"organisation__registered_office": ...}, "organisation.registered_office", "R-2.2-b", "is missing"),
    (
        {"organisation__registered_office": "1 Street"},
        "organisation.registered_office",
        "R-2.2-b",
        "postcode",
    ),
    ({"organisation__name": "A\nBcc: x"}, "organisation.name", "R-2.2-b", "on one line"),
    ({"organisation__name": " "}, "organisation.name", "R-2.2-b", "is empty"),
    ({"organisation__name": "x" * 201}, "organisation.name", "R-2.2-b", "Shorten it"),
    ({"organisation__part_of_uk": "Wessex"}, "organisation.part_of_uk", "R-2.2-b", "Wessex"),
    ({"organisation__part_of_uk": "Scotland"}, "organisation.part_of_uk", "R-2.2-b", "England and Wales"),
    ({"organisation__company_number": "SC123456"}, "organisation.part_of_uk", "R-2.2-b", "is of Scotland"),
    ({"organisation__company_number": "1234567"}, "organisation.company_number", "R-2.2-b", "eight digits"),
    ({"organisation__nation": "FRA"}, "organisation.nation", "R-2.3-b", "FRA"),
    # domains
    ({"organisation__domains": []}, "organisation.domains", "R-2.2-b", "names no domain"),
    (
        {"organisation__domains": ["real.home.arpa"]},
        "organisation.domains",
        "R-2.2-b",
        "example organisation",
    ),
    ({"organisation__domains": ["A.example"]}, "organisation.domains", "R-2.2-b", "lower case"),
    ({"organisation__domains": ["a.test", "a.test"]}, "organisation.domains", "R-2.2-b", "twice"),
    ({"gateway__hostname": "mail.home.arpa"}, "gateway.hostname", "R-5.1-a", "example organisation"),
    ({"officers__0__address": "x@home.arpa"}, "officers[1].address", "R-5.2-f", "example organisation"),
    ({"gateway__outbound_hop": "8.8.8.8:25"}, "gateway.outbound_hop", "R-5.1-a", "out in the world"),
    ({"sink__listen": "0.0.0.0.0:25"}, "sink.listen", "R-5.1-a", "not host:port"),
    ({"sink__listen": "9.9.9.9:25"}, "sink.listen", "R-5.1-a", "reachable from outside"),
    # the policy's version and review
    ({"policy__review_due": ...}, "policy.review_due", "R-1.P-a", "L12"),
    ({"policy__review_due": date(2026, 11, 1)}, "policy.review_due", "R-1.P-a", "is not after"),
    ({"policy__review_due": "soon"}, "policy.review_due", "R-1.P-a", "review_due = 2027-11-01"),
    ({"policy__version": ""}, "policy.version", "R-1.P-a", "is empty"),
    ({"format": 2}, "format", "R-1.P-a", "expected 1"),
    ({"policy": ...}, "policy", "R-1.P-a", "Write [policy]"),
    ({"policy": 3}, "policy", "R-1.P-a", "must be a table"),
    # officers and keys
    ({"officers": ...}, "officers", "R-5.2-f", "is missing"),
    ({"officers": [policy_table()["officers"][0]]}, "officers", "R-5.2-f", "found 1, expected 2 to 5"),
    ({"officers": policy_table()["officers"] * 2}, "officers", "R-5.2-f", "found 6, expected 2 to 5"),
    ({"officers__2": ...}, "officers", "R-5.2-g", "no alternate"),
    ({"officers__0__role": "alternate"}, "officers", "R-5.2-f", "exactly one managing_director"),
    ({"officers__2__role": "office_manager"}, "officers", "R-5.2-f", "two office managers"),
    ({"officers__0__role": "king"}, "officers[1].role", "R-5.2-g", "managing_director, office_manager"),
    ({"officers__1__id": "chair"}, "officers.id", "R-5.2-f", "stands twice"),
    ({"officers__1__id": "The Boss"}, "officers[2].id", "R-5.2-f", "lower-case words"),
    ({"officers__1__address": "nobody"}, "officers[2].address", "R-5.2-f", "not a mail address"),
    ({"officers__1__public_key": "not base64!"}, "officers[2].public_key", "R-5.2-f", "is not base64"),
    ({"officers__1__public_key": "é"}, "officers[2].public_key", "R-5.2-f", "is not base64"),
    ({"officers__1__public_key": "AAAA"}, "officers[2].public_key", "R-5.2-f", "3 bytes long, expected 32"),
    (
        {"officers__1__public_key": "A" * 42 + "B="},
        "officers[2].public_key",
        "R-5.2-f",
        "the one way base64 allows",
    ),
    ({"officers__1__signing_key": ...}, "officers[2].signing_key", "R-5.2-f", "is missing"),
    ({"officers__1__signing_key": "?"}, "officers[2].signing_key", "R-5.2-f", "is not base64"),
    ({"officers__1__signing_key": "AAAA"}, "officers[2].signing_key", "R-5.2-f", "3 bytes long, expected 32"),
    ({"officers__1__signing_key": "A" * 43 + "="}, "officers[2].signing_key", "R-5.2-f", "prove nothing"),
    ({"officers__1__signing_key": "/" * 42 + "8="}, "officers[2].signing_key", "R-5.2-f", "prove nothing"),
    (
        {"officers__1__signing_key": organisation.signing_key_base64("chair")},
        "officers.signing_key",
        "R-5.2-f",
        "twice",
    ),
    ({"recovery__public_key": "A" * 43 + "="}, "recovery.public_key", "R-5.1-a", "seals nothing"),
    (
        {"recovery__public_key": organisation.public_key_base64("chair")},
        "officers.public_key",
        "R-5.2-f",
        "twice",
    ),
    # the schedule
    ({"retention": {}}, "retention.journal", "R-5.1-a", "is missing"),
    ({"retention__mail": ...}, "retention.mail", "R-5.1-a", "is missing"),
    ({"retention__mail__days": 9}, "retention.mail", "R-5.1-a", "both years and days"),
    ({"retention__mail__years": ...}, "retention.mail", "R-5.1-a", "neither years nor days"),
    ({"retention__mail__years": -1}, "retention.mail", "R-5.1-a", "ends before it begins"),
    ({"retention__mail__years": 0}, "retention.mail", "R-5.1-a", "keeps nothing"),
    ({"retention__refused__days": 0}, "retention.refused", "R-5.1-a", "keeps nothing"),
    ({"retention__mail__years": 5000}, "retention.mail", "R-5.1-a", "longer than 100 years"),
    ({"retention__mail__years": 2**70}, "retention.mail", "R-5.1-a", "longer than 100 years"),
    ({"retention__mail__years": 1.5}, "retention.mail.years", "R-5.1-a", "years = 5"),
    ({"retention__mail__reason": ...}, "retention.mail.reason", "R-5.1-a", "is missing"),
    ({"retention__refused__days": 1827}, "retention.refused", "R-5.1-a", "longer than delivered"),
    ({"retention__journal__years": 4}, "retention.journal", "R-5.1-a", "ends before the mail"),
    ({"retention__post": {"years": 1, "reason": "r"}}, "retention.post", "R-5.1-a", "journal, mail, refused"),
    # purposes
    ({"purposes": []}, "purposes", "R-5.1-b", "SAR"),
    (
        {"purposes": [{"code": "NOSY", "title": "t", "clause": "R-5.1-b"}]},
        "purposes[1].code",
        "R-5.1-b",
        "no purpose of the policy",
    ),
    (
        {"purposes": [{"code": "SAR", "title": "t", "clause": "R-5.3-j"}]},
        "purposes[1].clause",
        "R-5.1-b",
        'Write clause = "R-5.1-b"',
    ),
    # addresses and paths
    ({"gateway__inside": "2525"}, "gateway.inside", "R-5.1-a", "not host:port"),
    ({"gateway__inside": "127.0.0.1:65536"}, "gateway.inside", "R-5.1-a", "not host:port"),
    ({"gateway__inside": "300.0.0.1:25"}, "gateway.inside", "R-5.1-a", "not host:port"),
    ({"gateway__inside": "[::g]:25"}, "gateway.inside", "R-5.1-a", "not host:port"),
    ({"gateway__inside": "::1:25"}, "gateway.inside", "R-5.1-a", "not host:port"),
    ({"gateway__inbound_hop": "127.0.0.1:0"}, "gateway.inbound_hop", "R-5.1-a", "not host:port"),
    ({"gateway__outbound_hop": ""}, "gateway.outbound_hop", "R-5.1-a", "needed by gateway.inside"),
    ({"gateway__inbound_hop": ""}, "gateway.inbound_hop", "R-5.1-a", "needed by gateway.outside"),
    ({"gateway__inside": "127.0.0.1:2526"}, "gateway", "R-5.1-a", "two ports would listen"),
    ({"gateway__tls_key": "/k.pem"}, "gateway.tls_key", "R-4.1-a", "need each other"),
    ({"gateway__hop_tls": "maybe"}, "gateway.hop_tls", "R-4.1-a", "none, may or require"),
    ({"gateway__max_message_bytes": 10}, "gateway.max_message_bytes", "R-5.1-a", "expected 65536"),
    ({"record__anchor_dir": "usb"}, "record.anchor_dir", "R-2.1-b", "absolute path"),
    ({"console__listen": "0.0.0.0:80"}, "console.listen", "R-5.1-a", "without TLS"),
    ({"console__listen": "here"}, "console.listen", "R-5.1-a", "not host:port"),
    ({"console__database": "mysql://x"}, "console.database", "R-5.1-a", "not a postgresql://"),
    ({"console__database": "postgresql://u:hush@h/n"}, "console.database", "R-5.1-a", "password file"),
    ({"wording__fine_named": 3}, "wording.fine_named", "R-4.3-b", "the fine the text names"),
    ({"example": False}, "sink", "R-5.1-a", "for examples only"),
]


@pytest.mark.parametrize(("overrides", "key", "clause", "words"), MISTAKES)
def test_a_mistake_names_its_key_its_clause_and_its_mend(
    overrides: dict[str, object], key: str, clause: str, words: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parse(policy_bytes(**overrides))
    said = [line for line in str(caught.value).splitlines() if re.search(rf"(^|\s){re.escape(key)}: ", line)]
    assert any(f"(clause {clause})" in line and words in line for line in said), str(caught.value)


def test_a_secret_in_the_file_is_not_repeated_in_the_message() -> None:
    with pytest.raises(BadInput) as caught:
        parse(policy_bytes(console__database="postgresql://u:hush@h/n"))
    assert "hush" not in str(caught.value)


def test_all_mistakes_are_listed_at_once() -> None:
    with pytest.raises(BadInput, match="has 3 mistakes") as caught:
        parse(policy_bytes(policy__version="", gateway__inside="x", retention__mail__days=3))
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"format = 1\nexample = yes\n", "line 2"),
        (b"format = 1\nformat = 1\n", "line 2"),
        (b"a = 1\nb = '\xff'\n", "line 2: is not UTF-8"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"a = " + b"9" * 5000, "is not TOML"),
        (b"#" * (1 << 20) + b"#", "expected at most 1048576"),
    ],
)
def test_what_is_no_toml_is_bad_input_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse(data)


def test_an_empty_file_lists_every_table_it_needs() -> None:
    with pytest.raises(BadInput) as caught:
        parse(b"")
    for table in ("format", "organisation", "policy", "officers", "recovery", "retention", "gateway"):
        assert f"\n  {table}: is missing" in str(caught.value)


def test_the_example_file_is_taken_with_its_digest() -> None:
    data = policy_bytes()
    policyfile = parse(data)
    assert policyfile.digest == sha256(data).digest()
    assert policyfile.organisation.particulars == organisation.particulars
    assert policyfile.gateway.hop_tls is HopTLS.MAY
    assert policyfile.gateway.max_message_bytes == 157_286_400
    assert policyfile.console.listen == "127.0.0.1:8025"
    assert [officer.id for officer in policyfile.officers] == ["managing-director", "office-manager", "chair"]
    assert {len(officer.key_bytes) for officer in policyfile.officers} == {32}
    assert [purpose.code for purpose in policyfile.purposes][:2] == ["INFO", "SAR"]


def test_a_real_organisation_with_a_real_domain_is_taken() -> None:
    # home.arpa belongs to nobody either (RFC 8375), but it is not among the names an example may use.
    text = policy_text(
        example=False,
        sink=...,
        organisation__domains=["training.home.arpa"],
        gateway__hostname="mail.training.home.arpa",
        gateway__outbound_hop="smtp.training.home.arpa:25",
    )
    assert parse(text.encode()).organisation.domains == ("training.home.arpa",)


@pytest.mark.parametrize(
    "overrides",
    [
        {"gateway__inside": "127.0.0.1:0", "gateway__outside": "127.0.0.1:0"},
        {"gateway__inside": "[::1]:2525"},
        {"gateway__inside": "", "gateway__outbound_hop": ""},
        {"gateway__journal": "localhost:2527"},
        {"retention__journal__years": 5},
        {"retention__refused__days": 1826},
        {"retention__mail": {"days": 400, "reason": "r"}},
        {"console__database": "postgresql://muniment@/muniment?host=/run/postgresql"},
        {"organisation__company_number": "SC123456", "organisation__part_of_uk": "Scotland"},
        {"organisation__company_number": "OC123456"},
        {"record__anchor_dir": "/media/usb"},
    ],
)
def test_these_variants_are_taken(overrides: dict[str, object]) -> None:
    assert parse(policy_bytes(**overrides)).example


def test_a_real_organisation_may_not_listen_on_port_nought() -> None:
    with pytest.raises(BadInput, match="a different port at each start"):
        parse(policy_bytes(example=False, sink=..., gateway__inside="127.0.0.1:0"))


def test_load_reads_the_file_and_names_it_in_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "muniment.toml"
    with pytest.raises(Missing, match="muniment init"):
        load(path)
    path.write_bytes(policy_bytes())
    assert load(path) == parse(policy_bytes())
    path.write_bytes(policy_bytes(format=9))
    with pytest.raises(BadInput, match=re.escape(f"{path}: format")):
        load(path)


def test_load_says_when_the_path_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="cannot be read"):
        load(tmp_path)


SCALARS = st.one_of(
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.dates(),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda number: round(number, 2)),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=5), max_size=3),
)
KEYS = sorted(
    {f"{table}__{key}" for table, rows in policy_table().items() if isinstance(rows, dict) for key in rows}
)
PLACES = st.sampled_from(
    [
        *KEYS,
        *policy_table(),
        "officers__0__id",
        "officers__1__public_key",
        "officers__1__signing_key",
        "retention__mail__years",
        "wording__x",
    ]
)


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_bad_input_only(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        parse(data)
    assert str(caught.value).replace("\n", "").isprintable()


@given(st.dictionaries(PLACES, SCALARS, min_size=1, max_size=4))
@settings(max_examples=300)
def test_a_file_with_any_values_in_any_places_is_taken_or_bad_input(overrides: dict[str, object]) -> None:
    try:
        data = policy_bytes(**dict(sorted(overrides.items(), reverse=True)))
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
    ):  # one override took away where another steps into
        return
    try:
        assert len(parse(data).digest) == 32
    except BadInput as error:
        assert str(error).replace("\n", "").isprintable()


@given(st.text(max_size=200), st.integers(0, 3000))
def test_a_file_with_text_spliced_in_is_taken_or_bad_input(text: str, place: int) -> None:
    whole = policy_text()
    place %= len(whole)
    try:
        assert parse((whole[:place] + text + whole[place:]).encode(errors="surrogatepass"))
    except BadInput as error:
        assert str(error).startswith("muniment.toml")


def test_the_test_writer_of_toml_gives_back_what_it_was_given() -> None:
    import tomllib

    table = policy_table() | {"odd": {"a b": 'quote " \\ \n é', "list": ["x"], "none": []}}
    assert tomllib.loads(to_toml(table)) == table
