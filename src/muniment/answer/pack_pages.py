"""The texts of a pack: the page that lists the messages, the statement, each message as plain text, how to verify.

They are made from the messages and prove nothing; each says so where it matters. Everything recorded is escaped.
Source: docs/formats/pack.md; R-5.2-f, R-5.4-c.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

import msgspec

from muniment.answer.pack_about import PackAbout, Search
from muniment.answer.pack_message import PackMessage
from muniment.answer.reading.extracted import Extracted, Problem
from muniment.answer.reading.letter import Attachment, Letter

_STYLE = """\
:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1.5rem}
html{background:#fff;color:#1a1c20}a{color:#0b4aa2}body{overflow-wrap:anywhere}h1,h2{font-family:Georgia,serif;line-height:1.25}
table{border-collapse:collapse;width:100%;table-layout:fixed}caption{text-align:left;padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #8886}td a{margin-right:.4rem}
th:nth-child(1){width:11%}th:nth-child(2){width:19%}th:nth-child(6){width:11%}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0}
.example{border:2px solid;padding:.5rem 1rem}
@media(max-width:40rem){thead{position:absolute;clip-path:inset(50%)}tr,td,dl{display:block}tr{padding:.6rem 0}
td{border:0;padding:.15rem 0}td:before{content:attr(data-is)": ";font-weight:600}tr{border-bottom:1px solid #8886}
dd{margin-bottom:.6rem}}
@media(prefers-color-scheme:dark){html{background:#16181d;color:#eceef2}a{color:#a9c1ff}}
@media print{html{background:#fff;color:#000}body{max-width:none;padding:0;font-size:10pt}a{color:#000}}
@media print{tr{break-inside:avoid}}
"""
_EXAMPLE = "This is an example organisation. Nothing in this pack really happened."


@dataclass(frozen=True)
class Line:
    """One message as the page lists it."""

    folder: str
    number: str
    captured_ms: int
    date: str
    from_: str
    to: str
    subject: str
    size_bytes: int
    has_sent: bool
    attachments: int


def line_of(folder: str, message: PackMessage, letter: Letter) -> Line:
    """Return the line of a message."""
    number, size = str(message.entry["number"]), len(message.content)
    to = ", ".join(filter(None, (letter.to, letter.cc)))
    return Line(
        folder, number, message.captured_ms, letter.date[:100], letter.from_[:500], to[:500], letter.subject[:500],
        size, message.sent is not None, len(letter.attachments),
    )  # fmt: skip


def moment(milliseconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%d %B %Y, %H:%M:%S UTC").lstrip("0")


def permit_files(about: PackAbout) -> Iterator[tuple[str, bytes]]:
    """Yield the papers of the permission as files, to the byte what was hashed and signed."""
    yield "request.json", about.papers.request.encode()
    yield "approval.json", about.papers.approval.encode()
    yield "signature.txt", b64encode(about.papers.signature) + b"\n"
    yield "officer.json", msgspec.json.encode(about.papers.officer, order="sorted")


def message_text(message: PackMessage, letter: Letter) -> bytes:
    """Return a message as plain text: its main header fields, its text, its attachments by name."""
    lines = [
        f"{name}: {letter.header(name)}"
        for name in ("Date", "From", "To", "Cc", "Subject")
        if letter.header(name)
    ]
    lines += [
        f"Entry: {message.entry['number']}, captured {moment(message.captured_ms)}",
        "",
        letter.body_text,
    ]
    if letter.attachments:
        lines += ["", "Attachments (in message.eml):"]
        lines += [
            f"  {each.part}. {each.name or '(no name)'}, {each.type}, {each.size:,} bytes"
            for each in letter.attachments
        ]
    if letter.defects:
        lines += ["", f"Not well formed: {'; '.join(letter.defects)}"]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def attachment_text(attachment: Attachment, found: Extracted) -> bytes:
    """Return the text of an attachment, or why there is none."""
    head = f"{attachment.name or '(no name)'}, {attachment.type}, {attachment.size:,} bytes\n"
    if found.problem is not Problem.NONE:
        head += f"Could not be read: {found.problem}\n"
    return (head + "\n" + found.text + "\n").encode("utf-8", "replace")


def index(about: PackAbout, lines: Sequence[Line]) -> bytes:
    """Return the page a reader opens first."""
    rows = "".join(_row(line) for line in lines)
    body = f"""<h1>{escape(about.title)}</h1>
{_facts(about, len(lines))}
<p>Each message is here as it was recorded (<b>message.eml</b>, which a mail program opens) and as plain text. Read
first what was searched, and what could not be: <a href="statement.html">the statement</a>. How anybody can check that
the messages are what was recorded is written in VERIFY.txt, beside the folder <i>data</i>.</p>
<table><caption>Messages, in the order chosen</caption>
<thead><tr><th>No.</th><th>Written</th><th>From</th><th>To</th><th>Subject</th><th>Open</th></tr></thead>
<tbody>{rows}</tbody></table>"""
    return _page(about, body)


def _row(line: Line) -> str:
    from_, to = (escape(each) or "(nobody named)" for each in (line.from_, line.to))
    date = escape(line.date) or "(no date)"
    sent = f' <a href="{line.folder}/as-sent.eml">as sent</a>' if line.has_sent else ""
    paper = f" (attachments: {line.attachments})" if line.attachments else ""
    return (
        f'<tr><td data-is="No.">{line.folder}<br><small>{escape(line.number)}</small></td>'
        f'<td data-is="Written">{date}<br><small>captured {moment(line.captured_ms)}</small></td>'
        f'<td data-is="From">{from_}</td><td data-is="To">{to}</td>'
        f'<td data-is="Subject">{escape(line.subject) or "(none)"}{paper}</td>'
        f'<td data-is="Open"><a href="{line.folder}/message.txt">text</a> '
        f'<a href="{line.folder}/message.eml">original</a>{sent}</td></tr>\n'
    )


def _facts(about: PackAbout, count: int) -> str:
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(about, count))
    return f"<dl>{pairs}</dl>"


def facts(about: PackAbout, count: int) -> list[tuple[str, str]]:
    """Return what a pack says of itself, as pairs of a name and a value."""
    papers = about.papers
    return [
        ("Made for", about.recipient),
        ("Made by", f"{about.made_by}, {about.organisation}"),
        ("Made on", moment(about.made_ms)),
        ("Why", about.reason),
        ("Under permit", f"{papers.number}, revision {papers.revision}: {papers.purpose} ({papers.clause})"),
        ("Approved by", f"{papers.officer.name}, {papers.officer.role.replace('_', ' ')}"),
        ("Messages", f"{count:,} of {papers.entries:,} that the permit opens"),
        ("Log", f"{about.origin}, checkpoint over {about.log_size:,} entries"),
        ("Key of the log", about.vkey),
    ]


def statement_lines(about: PackAbout, count: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the sections of the statement: a heading, and its sentences."""
    papers = about.papers
    yield "What this is", [f"{name}: {value}" for name, value in facts(about, count)]
    searched = [_search(search) for search in about.searches]
    yield "What was searched", searched or ["No search was made; messages were chosen from the list of all."]
    missed = [f"{number:,}: {reason}" for reason, number in about.not_searched]
    yield "What could not be searched", missed or ["Everything that the permit opens could be searched."]
    sealed = (
        f"{papers.shielded:,} more that fit are marked private or protected. They were counted, not opened."
    )
    yield "What stayed sealed", [sealed]
    yield "Gaps in the record", list(about.gaps) or ["None is noted in the record for the time searched."]
    yield (
        "What this does not show",
        [
            "What never reached the record: calls, paper, other accounts, mail that went another way.",
            "That a sender is who the message says. Names in messages can be forged.",
            "That the recorder's clock was right. Times of capture are its own word.",
            "Anything by this statement itself: only the .eml files are proved, by the program verify.py.",
        ],
    )


def _search(search: Search) -> str:
    parts = [f"“{search.words}”" if search.words else "everything"]
    parts += [f"in the {search.field}"] if search.field not in ("", "any") else []
    parts += [f"with {search.person}"] if search.person else []
    parts += [f"from {moment(search.from_ms)}"] if search.from_ms is not None else []
    parts += [f"until {moment(search.until_ms)}"] if search.until_ms is not None else []
    missed = sum(number for _, number in search.not_searched)
    told = f"{' '.join(parts)}: found {search.found:,} of {search.searched:,} searched"
    return told + (f"; {missed:,} could not be searched." if missed else ".")


def statement_text(about: PackAbout, lines: Sequence[Line]) -> bytes:
    """Return the statement as plain text."""
    parts = [f"{about.title}\nStatement of what was searched and what could not be"]
    parts += [_EXAMPLE] if about.example else []
    for heading, sentences in statement_lines(about, len(lines)):
        parts.append("\n".join([heading.upper(), *(f"  - {sentence}" for sentence in sentences)]))
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def statement_html(about: PackAbout, lines: Sequence[Line]) -> bytes:
    """Return the statement as a page."""
    body = [f"<h1>{escape(about.title)}</h1><p>Statement of what was searched and what could not be.</p>"]
    for heading, sentences in statement_lines(about, len(lines)):
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
        body.append(f"<h2>{escape(heading)}</h2><ul>{items}</ul>")
    return _page(about, "\n".join([*body, '<p><a href="index.html">The messages</a></p>']))


def _page(about: PackAbout, body: str) -> bytes:
    example = f'<p class="example">{_EXAMPLE}</p>' if about.example else ""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return f"""<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(about.title)}</title><style>{_STYLE}</style></head>
<body><main>{example}{body}</main></body></html>
""".encode("utf-8", "replace")


def how_to_verify(about: PackAbout) -> bytes:
    """Return VERIFY.txt: how a stranger checks the pack, and with which keys."""
    officer = about.papers.officer
    return f"""HOW TO READ THIS PACK, AND HOW TO CHECK IT

To read it, open data/index.html. The messages are in data/0001, data/0002 and so on.

To check it you need Python 3.8 or later, and nothing else. verify.py is one file; you can read it first. Unpack the
pack, or leave it as it is, and type:

    python3 verify.py PACK --vkey 'KEY OF THE LOG' --officer-key 'KEY OF THE OFFICER'

PACK is the zip file or the folder it was unpacked to. If you do not trust the verify.py in this pack, get one from the
makers of Muniment: anybody's copy does. The two keys must come from somewhere you trust: from the organisation by
another way than this pack came, from a witness of its log, from the officer. The pack itself says that they are

    {about.vkey}
    {officer.signing_key} ({officer.name}, {officer.role.replace("_", " ")})

The program says what is proved, what is not, and what is wrong. It ends with 0 when all is proved, with 6 when
something is not, with 2 when this is no pack.
""".encode()
