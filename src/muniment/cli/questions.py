"""The twelve questions of `muniment init`, asked one by one at a terminal or answered from a file.

Each says why it is asked and under which clause; each answer is checked at once by the policy file's own rules.
"""

from __future__ import annotations

import base64
import difflib
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from muniment.cli import draft
from muniment.policy import policyfile
from muniment.policy.errors import BadInput, Missing, MunimentError

MOST = 12
NOBODY, BACK = "-", "<"
Default = Callable[[Mapping[str, str], date], str | None]


@dataclass(frozen=True)
class Question:
    """One question: its key in an answers file, its words, why it is asked, and the answer of an empty line."""

    key: str
    text: str
    why: str
    default: Default = lambda answers, today: None


def _part_of_uk(answers: Mapping[str, str], today: date) -> str:
    prefix = answers.get("company_number", "")[:2]
    if prefix in ("SC", "SO", "SL"):
        return "Scotland"
    return "Northern Ireland" if prefix in ("NI", "NC", "NL", "R0") else "England and Wales"


def _a_year_on(answers: Mapping[str, str], today: date) -> str:
    return (today + timedelta(days=365)).isoformat()


def _nothing(answers: Mapping[str, str], today: date) -> str:
    return ""


QUESTIONS = (
    Question(
        "name",
        "What is the organisation's registered name?",
        "It must stand on every business message (clause 2.2).",
    ),
    Question(
        "company_number",
        "What is its company number?",
        "It must stand on every business message (clause 2.2). Leading noughts count: 01234567.",
    ),
    Question(
        "part_of_uk",
        "In which part of the UK is it registered? England and Wales, Scotland or Northern Ireland",
        "It must stand on every business message (clause 2.2); it also decides which public holidays count.",
        _part_of_uk,
    ),
    Question(
        "registered_office",
        "What is the address of its registered office, with the postcode?",
        "It must stand on every business message (clause 2.2).",
    ),
    Question(
        "domains",
        "Which mail domains are yours? With spaces between; the main one first",
        "They tell mail within the organisation from mail that leaves it (clause 2.2).",
    ),
    Question(
        "managing_director",
        "Who is the Managing Director? Name <address>",
        "The Managing Director permits looks into the record in writing (clause 5.2) and gets a key.",
    ),
    Question(
        "office_manager",
        f"Who is the Office Manager? Name <address>, or {NOBODY} for nobody",
        "The Office Manager permits them too (clause 5.2) and gets a key of their own.",
    ),
    Question(
        "alternate",
        "Who decides when it is about the Managing Director? Name <address>; up to three, with ; between",
        "A chair, governor or accountant from outside the line: nobody permits a look at themselves (clause 5.2).",
    ),
    Question(
        "outbound_hop",
        "Which server does mail from your own people go to next? host:port; Enter for not yet",
        "Mail passes through on its way out, so that it is recorded and carries the particulars (clauses 2.2, 5.1).",
        _nothing,
    ),
    Question(
        "inbound_hop",
        "Which server does mail from outside go to next? host:port; Enter for not yet",
        "Mail passes through on its way in, so that it is recorded (clause 5.1).",
        _nothing,
    ),
    Question(
        "review_due",
        "By which day do you look at the policy again?",
        "A policy nobody reviews goes stale; from that day on every page says so (clause 1).",
        _a_year_on,
    ),
    Question(
        "anchor_dir",
        "In which folder, on another disk or machine, is a copy of each proof kept? Enter for not yet",
        "It shows when an older copy of the whole record was put back (clause 2.1).",
        _nothing,
    ),
)

EXAMPLE: Mapping[str, str] = {
    "name": "Example Training Ltd",
    "company_number": "01234567",
    "part_of_uk": "England and Wales",
    "registered_office": "1 Example Street, Exampletown EX1 1EX",
    "domains": "training.example",
    "managing_director": "Morgan Example <morgan@training.example>",
    "office_manager": "Olive Example <olive@training.example>",
    "alternate": "Chris Example <chris@chair.example>",
    "outbound_hop": "127.0.0.1:2580",
    "inbound_hop": "127.0.0.1:2581",
    "anchor_dir": "",
}


def example_answers(today: date) -> dict[str, str]:
    """Return the answers of the example organisation."""
    return {**EXAMPLE, "review_due": _a_year_on({}, today)}


def ask(
    today: date,
    say: Callable[[str], None],
    read: Callable[[], str],
    accept: Callable[[Mapping[str, str]], None],
) -> dict[str, str]:
    """Ask every question until its answer holds, and return the answers. `<` goes back by one.

    `read` returns a typed line, without its end only when the input is over; `accept` raises what is wrong with
    the answers so far.
    Raises:
        BadInput: the input ended before the last answer.
    """
    answers: dict[str, str] = {}
    say(f"{len(QUESTIONS)} questions. Enter takes what stands in brackets; {BACK} goes back.")
    at = 0
    while at < len(QUESTIONS):
        question = QUESTIONS[at]
        default = question.default(answers, today)
        say(_shown(at, question, default))
        line = read()
        if not line.endswith("\n"):
            raise BadInput(
                f"the input ended at question {at + 1}; nothing was made. Start again when you can."
            )
        if line.strip() == BACK:
            at = max(0, at - 1)
            continue
        typed = line.strip()
        answer = default if not typed else ("" if typed == NOBODY else typed)
        if answer is None:
            say("   This one needs an answer.")
            continue
        try:
            accept({**answers, question.key: answer})
        except MunimentError as error:
            say(textwrap.indent(str(error), "   "))
            continue
        answers[question.key] = answer
        at += 1
    return answers


def read_answers(path: Path, today: date, *, example: bool) -> dict[str, str]:
    """Return the answers in a TOML file, with defaults for what it leaves out.

    Raises:
        Missing: it is not there. BadInput: it is not TOML, a key is unknown, missing or wrong.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise Missing(f"{path} cannot be read: {error.strerror}; write the answers there first") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not TOML: {error}; mend that line") from None
    keys = [question.key for question in QUESTIONS]
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            mend = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(keys)}."
            raise BadInput(f"{path}: {key} answers no question of init. {mend}")
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        given = _plain(path, question.key, table[question.key]) if question.key in table else None
        answer = question.default(answers, today) if given is None else given
        if answer is None:
            raise BadInput(f"{path}: {question.key} is missing. {question.text} {question.why}")
        answers[question.key] = answer
    check(answers, today, example=example, name=str(path))
    return answers


def check(answers: Mapping[str, str], today: date, *, example: bool, name: str = "That answer") -> None:
    """Return when a policy file with these answers holds; what is not answered yet counts as right.

    Raises:
        BadInput: it does not; the message names key, clause and mend.
    """
    whole: dict[str, str] = {}
    for question in QUESTIONS:
        given = answers.get(question.key)
        if given is None:
            given = question.default(answers, today)
        whole[question.key] = EXAMPLE[question.key] if given is None else given
    owners = [officer.id for officer in draft.named_officers(whole)] + [draft.RECOVERY]
    keys = {owner: base64.b64encode(bytes([9 + at] * 32)).decode() for at, owner in enumerate(owners)}
    policyfile.parse(draft.compose(whole, keys, keys, today, example=example).encode(), name=name)


def _shown(at: int, question: Question, default: str | None) -> str:
    offered = f" [{default}]" if default else ""
    why = textwrap.fill(question.why, 72, initial_indent="   ", subsequent_indent="   ")
    text = textwrap.fill(
        f"{at + 1} of {len(QUESTIONS)}. {question.text}{offered}", 76, subsequent_indent="   "
    )
    return f"\n{text}\n{why}"


def _plain(path: Path, key: str, value: object) -> str:
    if isinstance(value, str):
        return "" if value == NOBODY else value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return (" " if key == "domains" else "; ").join(value)
    if type(value) is date:
        return value.isoformat()
    raise BadInput(f"{path}: {key} is a {type(value).__name__}, expected text. Put it in quotation marks.")
