"""The story the tour plays: each step does something real, checks what came of it, and says it in a sentence or two.

A step is a function of the stage; it yields facts and raises `Broken` when the product did not do what it must.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.cli.stage import Ran, Stage
from muniment.policy.errors import Missing
from muniment.policy.particulars import Particulars
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.unsealing import OfficerView, Opened

SECRET_WORDS = b"The grievance meeting is on Thursday"
WRITTEN = (
    b"From: Ada Teacher <a.teacher@training.example>\r\nTo: parent@outside.example\r\nSubject: Thursday\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b1\r\n\r\n"
    b"--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + SECRET_WORDS + b".\r\n"
    b"--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>" + SECRET_WORDS + b".</p>\r\n--b1--\r\n"
)
SIGNED = (
    b"From: a.teacher@training.example\r\nTo: parent@outside.example\r\nSubject: Signed\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=s1\r\n\r\n'
    b"--s1\r\nContent-Type: text/plain\r\n\r\nSigned words.\r\n"
    b"--s1\r\nContent-Type: application/pgp-signature\r\n\r\nabc\r\n--s1--\r\n"
)
PEOPLE = """external_id,name,roles,line_manager,addresses,from,until
t1,Ada Teacher,Staff,om,a.teacher@training.example,,
s1,Sol Student,Student,,sol@students.training.example,,
"""


class Broken(Exception):
    """The product did not do what the step says it does."""


@dataclass(frozen=True)
class Step:
    """One step: the clause it serves, its title, and what plays it."""

    clause: str
    title: str
    play: Callable[[Stage], Iterator[str]]


def require(holds: bool, what: str) -> None:
    """Raise Broken unless what a step promises holds."""
    if not holds:
        raise Broken(what)


def found(stage: Stage) -> Iterator[str]:
    """Found a home."""
    succeed(stage.command("init", str(stage.home.path), "--example"))
    stage.take_free_ports()
    sheets = sorted(path.name for path in (stage.home.path / "sheets").iterdir())
    require(len(sheets) >= 4, f"expected a sheet for each officer and one for the safe, found {sheets}")
    yield f"{len(sheets)} sheets for print: one for each officer, one for the safe. EXAMPLE stands on each."


def import_people(stage: Stage) -> Iterator[str]:
    """Say who is who."""
    file = stage.home.path / "people.csv"
    file.write_text(PEOPLE)
    home = str(stage.home.path)
    dry = succeed(stage.command("people", "import", str(file), "--dry-run", "--home", home, "--json"))
    done = succeed(stage.command("people", "import", str(file), "--home", home, "--json"))
    said, did = json.loads(dry.out), json.loads(done.out)
    require(said["added"] == did["added"], "the dry run said something else than the import did")
    require(did["written"] and not said["written"], "a dry run wrote, or an import did not")
    yield f"{len(did['added'])} people, each with roles, line manager and addresses, from the moment of the import."


def send_out(stage: Stage) -> Iterator[str]:
    """Send a message to the outside world."""
    code, said = stage.send("inside", "a.teacher@training.example", "parent@outside.example", WRITTEN)
    require(code == 250, f"the gateway said {code} {said}")
    sent = _last_arrived(stage)
    require(_shows(sent, stage.policy.organisation.particulars) >= 2, "a part of the message has no footer")
    yield "The gateway recorded it, the next hop took it, and only then the sender heard 250."
    yield "It left with registered name, part of the UK, number and office, in its plain text and in its HTML."


def in_the_record(stage: Stage) -> Iterator[str]:
    """Find it in the record, sealed."""
    status = json.loads(succeed(stage.command("status", "--home", str(stage.home.path), "--json")).out)
    numbers = {stream["name"]: stream["sequence"] for stream in status["streams"]}
    require(numbers.get("mail-gateway") == 1, f"expected one message through the gateway, found {numbers}")
    holding = stage.find(lambda data: SECRET_WORDS in data or SECRET_WORDS.hex().encode() in data)
    require(not holding, f"the words of the message stand in {holding}")
    why = json.loads(
        succeed(stage.command("explain", "mail-gateway/1", "--home", str(stage.home.path), "--json")).out
    )["parts"]
    require(why["Clause"].startswith("R-2.2-b"), f"its decision cites {why['Clause']}")
    yield f"What was decided of it: {why['Decision']}. {why['Why']}"
    yield "It is entry mail-gateway/1. No file of this machine holds its words: the record, its keys and its database."


def thief(stage: Stage) -> Iterator[str]:
    """Try the whole disk without an officer's key."""
    with stage.officer_view("managing-director") as view:
        [row] = view.catalogue.rows("stream = ? AND sequence = 1", (Stream.MAIL_GATEWAY,))
        stolen = _with_another_key(view)
        try:
            stolen.open(row.idx)
        except Missing:
            yield "The disk, the keeper's share and the machine's secret do not open it: an officer's share is missing."
            return
    raise Broken("a key that is no officer's opened the message")


def officer_opens(stage: Stage) -> Iterator[str]:
    """Open it with an officer's key."""
    opened = _open(stage, Stream.MAIL_GATEWAY, 1)
    require(opened.content == WRITTEN, "the message as written came back changed")
    require(opened.sent == _last_arrived(stage), "the message as sent is not what arrived")
    yield "With the Managing Director's key file and six words both faces open: as written and as sent, to the byte."
    yield "(The tour holds the sheet here. A permit, further on, releases the keys of some entries and no more.)"


def come_in(stage: Stage) -> Iterator[str]:
    """Receive mail, and send some to a colleague."""
    letter = b"From: parent@outside.example\r\nSubject: Re: Thursday\r\n\r\nWe shall come.\r\n"
    code, said = stage.send("outside", "parent@outside.example", "a.teacher@training.example", letter)
    require(
        code == 250 and _last_arrived(stage) == letter,
        f"mail from outside was altered or refused: {code} {said}",
    )
    note = b"From: a.teacher@training.example\r\nSubject: Tea\r\n\r\nAt four?\r\n"
    code, said = stage.send("inside", "a.teacher@training.example", "olive@training.example", note)
    require(
        code == 250 and _last_arrived(stage) == note, f"internal mail was altered or refused: {code} {said}"
    )
    yield "Mail from outside and mail between colleagues are recorded and pass unaltered."


def refuse(stage: Stage) -> Iterator[str]:
    """Refuse what cannot be passed truly, and keep it."""
    bare = b"From: a.teacher@training.example\r\nSubject: Two in one\r\n\r\nOne\n.\nMAIL FROM:<forged@bank.example>\r\n"
    code, said = stage.send("inside", "a.teacher@training.example", "parent@outside.example", bare)
    require(500 <= code < 600, f"a bare newline was answered {code} {said}")
    yield f"A message smuggled behind a bare newline: {code} {said}"
    code, said = stage.send("inside", "a.teacher@training.example", "parent@outside.example", SIGNED)
    require(500 <= code < 600, f"a signed message was answered {code} {said}")
    yield f"A signed message, which a footer would break: {code} {said}"
    code, said = stage.send("inside", "a.teacher@training.example", "refused@outside.example", WRITTEN)
    require(code == 550, f"the refusal of the next hop became {code} {said}")
    yield f"The next hop's own refusal passes back: {code} {said}"
    refused = [_open(stage, Stream.MAIL_REFUSED, number).content for number in (1, 2)]
    require(
        refused[1] == SIGNED and refused[0].startswith(bare[:40]), "what was refused is not in the record"
    )
    yield "Each stands in the record as refused mail, kept for 90 days."


def no_record_no_delivery(stage: Stage) -> Iterator[str]:
    """Stop the recorder and try to send."""
    before = len(stage.arrived())
    for service in stage.services:
        if service.name == "recorder" and service.process is not None:
            service.process.kill()
            service.process.wait()
    code, said = stage.send("inside", "a.teacher@training.example", "parent@outside.example", WRITTEN)
    require(code == 451, f"without a recorder the gateway said {code} {said}")
    require(len(stage.arrived()) == before, "something was delivered that is not in the record")
    yield f"The recorder killed: {code} {said}. Nothing was delivered."


def again(stage: Stage) -> Iterator[str]:
    """Start again; the sender tries again."""
    code, said = stage.send("inside", "a.teacher@training.example", "parent@outside.example", WRITTEN)
    require(code == 250, f"after the restart the gateway said {code} {said}")
    yield "Everything started again, the sender tried again, and the message is recorded and gone."


def prove(stage: Stage) -> Iterator[str]:
    """Prove the whole record from its bytes."""
    ran = succeed(stage.command("verify", "--home", str(stage.home.path)))
    yield from ran.out.strip().splitlines()[:1]


def hand_out_proof(stage: Stage) -> Iterator[str]:
    """Export a proof and check it in plain Python."""
    proof = stage.home.path / "entry.json"
    home = str(stage.home.path)
    succeed(stage.command("entry", "export", "mail-gateway/1", "--output", str(proof), "--home", home))
    require(SECRET_WORDS not in proof.read_bytes(), "the exported entry holds the words of the message")
    vkey = (stage.home.ledger / "vkey").read_text().strip()
    verifier = Path(__file__).parents[2] / "muniment_verify" / "__init__.py"
    command = [sys.executable, "-I", "-S", str(verifier), str(proof), "--vkey", vkey]
    ran = succeed(stage.run(["python3", "muniment_verify/__init__.py", proof.name, "--vkey", vkey], command))
    yield "One file, with nothing installed, says of the sealed entry:"
    yield from ran.out.strip().splitlines()[1:4]


def flip_one_bit(stage: Stage) -> Iterator[str]:
    """Flip one bit in a copy of the record."""
    copy = stage.home.path.with_name(stage.home.path.name + "-forged")
    shutil.copytree(stage.home.path, copy, ignore=shutil.ignore_patterns("*.sock"))
    catalogue = Catalogue(Home(copy).database)
    [row] = catalogue.rows("stream = ? AND sequence = 1", (Stream.MAIL_GATEWAY,))
    catalogue.close()
    segment = row.segment.path(Home(copy))
    data = bytearray(segment.read_bytes())
    data[row.at + row.length // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(data)
    ran = stage.command("verify", "--home", str(copy))
    shutil.rmtree(copy)
    require(ran.code == 6, f"verify ended with {ran.code} over a flipped bit: {ran.out}{ran.err}")
    yield from ran.out.strip().splitlines()[:2]


def read_the_policy(stage: Stage) -> Iterator[str]:
    """Ask what of the policy is met, and what is wrong with it."""
    home = str(stage.home.path)
    trace = json.loads(succeed(stage.command("policy", "trace", "--home", home, "--json")).out)
    yield f"Of {len(trace['clauses'])} requirements: {_by_state(trace)}."
    lint = json.loads(stage.command("policy", "lint", "--home", home, "--json").out)
    yield f"Twelve questions every such policy must answer: {len(lint['findings'])} stand open in this one."


STEPS = (
    Step(
        "R-5.2-f",
        "Found an organisation: keys for its officers, no secret in the clear but the example's",
        found,
    ),
    Step("R-1.S-b", "Say who is who, with a dry run first", import_people),
)
RUNNING = (
    Step("R-2.2-b", "Mail leaves with the statutory particulars", send_out),
    Step("R-2.1-a", "It is in the record, sealed", in_the_record),
    Step("R-5.2-f", "Nobody at the machine can read it", thief),
    Step("R-5.1-a", "An officer's key opens it, byte for byte", officer_opens),
    Step("R-5.1-a", "Mail comes in, and passes between colleagues", come_in),
    Step("R-5.1-a", "What cannot be passed truly is refused in plain words, and kept", refuse),
    Step("R-5.1-a", "No record, no delivery", no_record_no_delivery),
)
RESTARTED = (Step("R-2.1-b", "Nothing is lost: the sender tries again", again),)
PROVING = (
    Step("R-2.1-b", "The whole record is proved again from its bytes", prove),
    Step("R-2.1-b", "A stranger checks one entry without us, and without reading it", hand_out_proof),
    Step("R-5.1-a", "One flipped bit is named", flip_one_bit),
    Step("R-1.P-b", "What of the policy is met, honestly", read_the_policy),
)


def succeed(ran: Ran) -> Ran:
    """Return a command that ended well. Raises: Broken when it did not."""
    require(ran.code == 0, f"`{ran.typed}` ended with {ran.code}: {ran.err.strip() or ran.out.strip()}")
    return ran


def _last_arrived(stage: Stage) -> bytes:
    arrived = stage.arrived()
    require(bool(arrived), "nothing arrived")
    return base64.b64decode(arrived[-1]["raw_base64"])


def _shows(message: bytes, particulars: Particulars) -> int:
    """Return how often all four particulars stand in a message."""
    values = (
        particulars.name,
        particulars.part_of_uk,
        particulars.company_number,
        particulars.registered_office,
    )
    text = " ".join(message.decode("utf-8", "replace").replace("=\r\n", "").split())
    return min(text.count(value) for value in values)


def _open(stage: Stage, stream: Stream, sequence: int) -> Opened:
    with stage.officer_view("managing-director") as view:
        rows = view.catalogue.rows("stream = ? AND sequence = ?", (stream, sequence))
        require(len(rows) == 1, f"{stream.name} has no entry {sequence}")
        return view.open(rows[0].idx)


def _with_another_key(view: OfficerView) -> OfficerView:
    return replace(view, private_key=X25519PrivateKey.generate(), _roots={}, _again=None)


def _by_state(trace: dict[str, Any]) -> str:
    counts = Counter(clause["how"] for clause in trace["clauses"])
    return f"{counts['control']} met by a control, {counts['people']} by people, {counts['not yet']} not yet"
