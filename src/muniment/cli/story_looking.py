"""The second half of the tour: somebody asks to look, an officer permits it with her key, and the watched are told."""

from __future__ import annotations

import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from muniment.answer import rooms
from muniment.answer.room_client import Looker, RoomClient
from muniment.cli.stage import Stage, six_words
from muniment.cli.story import Broken, Step, require, succeed
from muniment.people.moment import LONDON
from muniment.policy.errors import Missing
from muniment.record.catalogue import Catalogue
from muniment.record.entry import Stream
from muniment.record.home import Home
from muniment.record.open_entries import read_open

NUMBER = "2026-001"
REASON = "Whether marks were changed after moderation"
ALTERNATIVE = "He was asked, and does not recall"
CASE = "2026-007"
SOUGHT = "74"
OFFICER = "managing-director"


def ask(stage: Stage) -> Iterator[str]:
    """Ask for a permit as the person for HR, who hears bands and no counts."""
    today = datetime.now(LONDON).date()
    since, until = today - timedelta(days=70), today - timedelta(days=28)
    words = ["permit", "ask", "--as", "hr", "--person", "tomas", "--purpose", "CASE", "--case", CASE]
    words += ["--reason", REASON, "--alternative", ALTERNATIVE]
    words += ["--from", since.isoformat(), "--until", until.isoformat(), "--json"]
    asked = json.loads(_on_home(stage, *words))
    stage.kept |= {"permit": asked["number"], "words": asked["words"]}
    require(
        "-" in asked["entries"] or asked["entries"] == "0", f"an exact count was told: {asked['entries']}"
    )
    yield f"Hari Hughes asks for Tomás Tutor's mail of six weeks. He hears bands: {asked['entries']} messages"
    yield f"would open, {asked['shielded']} more are marked private. Six words, shown once, will open his room."


def approve(stage: Stage) -> Iterator[str]:
    """Approve as the Managing Director, with her key, where there is no home."""
    number, away = stage.kept["permit"], stage.home.path / "tour" / "director"
    away.mkdir(parents=True)
    asked, signed, words = away / "asked.json", away / "signed.json", away / "words.txt"
    words.write_text(six_words((stage.home.path / "sheets" / f"{OFFICER}.txt").read_text()))
    _on_home(stage, "permit", "bundle", number, "--output", str(asked))
    key = stage.home.path / "officer-keys" / f"{OFFICER}.json"
    options = ["--key", str(key), "--words-file", str(words), "--output", str(signed)]
    succeed(stage.command("approve", str(asked), *options))
    _on_home(stage, "permit", "decide", str(signed))
    shown = json.loads(_on_home(stage, "permit", "show", number, "--json"))
    require(shown["state"] == "approved", f"permit {number} is {shown['state']}")
    stage.kept["entries"] = shown["entries"]
    yield f"She reads whom, what, why, how many: {shown['entries']} entries; {shown['shielded']} stay sealed. Her key"
    yield "stays with her. What comes back holds the keys of these entries, sealed to the room, and her signature."


def cannot_widen(stage: Stage) -> Iterator[str]:
    """Widen the permit in the database as an administrator could: it opens nothing more, and is named."""
    with closing(sqlite3.connect(stage.home.console_db)) as rows, rows:
        rows.execute("UPDATE permit_permit SET entries = 4000000, ends = '2099-01-01'")
    ran = stage.command("permit", "check", "--home", str(stage.home.path))
    require(ran.code == 6, f"permit check ended with {ran.code} over an edited row: {ran.out}{ran.err}")
    _on_home(stage, "permit", "rebuild")
    yield "A row of the database edited to say four million entries for ever: named, and made again from the record."
    yield "It would have opened nothing: keys open entries, rows do not."


def read(stage: Stage) -> Iterator[str]:
    """Unlock the room, climb its ladder, find the message and read it."""
    with _room(stage) as room:
        state = _unlocked(room, stage.kept["words"])
        require(state.entries == stage.kept["entries"], f"the room holds {state.entries} entries")
        for rung in ("envelope", "subject", "content"):
            room.climb(rung, "Who asked for the change")
        found = room.search(SOUGHT, reason="Who asked for the change")
        letter = next((hit for hit in found.hits if "h.lister" in " ".join(hit.to)), None)
        if letter is None:
            raise Broken(f"the letter was not found among {found.found}")
        message = room.read(letter.index, "It asks for the mark to be changed")
        require("second" in message.text, "the message does not say what was written")
        stage.kept["found"] = [hit.index for hit in found.hits]
        yield f"The room opens {state.entries} entries. {found.found} of them hold “{SOUGHT}”."
        yield f"{state.shielded} more stay sealed: they are counted, not searched."
        yield f"The letter is read: “{' '.join(message.text.split())[:76]}…”"
        yield f"The search stood in the record as {found.record_number} before its result was shown,"
        yield f"the reading as {message.record_number}. Fences of the room: {', '.join(state.confinement)}."


def neighbours_stay_closed(stage: Stage) -> Iterator[str]:
    """Ask the room for an entry its permit does not cover."""
    with closing(Catalogue(stage.home.database)) as catalogue:
        [other] = catalogue.rows("stream = ? AND sequence = 1", (Stream.MAIL_GATEWAY,))
    with _room(stage) as room:
        try:
            room.read(other.idx, "Curiosity")
        except Missing:
            yield f"Entry {other.idx}, which the permit does not name, is not in the room: it holds no key to it."
            return
    raise Broken("the room opened an entry outside its permit")


def hand_out_pack(stage: Stage) -> Iterator[str]:
    """Hand out a pack, and have a stranger prove it with one file and nothing installed."""
    with _room(stage) as room:
        pack = room.pack(stage.kept["found"], "Marks of unit 3", "For the hearing", "The panel")
    path = stage.home.path / "rooms" / f"{stage.kept['permit']}-1" / pack.path
    away = stage.home.path / "tour" / "panel"
    away.mkdir()
    with zipfile.ZipFile(path) as packed:
        [name] = [name for name in packed.namelist() if name.endswith("/verify.py")]
        (away / "verify.py").write_bytes(packed.read(name))
    vkey = (stage.home.ledger / "vkey").read_text().strip()
    command = [sys.executable, "-I", "-S", str(away / "verify.py"), str(path), "--vkey", vkey]
    ran = succeed(stage.run(["python3", "verify.py", path.name, "--vkey", "KEY"], command))
    yield f"{pack.entries} messages, whole, with their proofs, the permit and a statement of what was searched."
    yield from [line.strip() for line in ran.out.splitlines() if line.strip()][:6]


def told(stage: Stage) -> Iterator[str]:
    """Let five o'clock come: the person looked at is told, and is not told by whom or why."""
    evening = datetime.now(LONDON).replace(hour=17, minute=1) + timedelta(days=1)
    # A process serves one home, and the one that plays the tour may serve another.
    clockwork = get_context("spawn").Process(target=_deliver, args=(stage.home, evening))
    clockwork.start()
    clockwork.join()
    require(clockwork.exitcode == 0, "the notices that were due could not be delivered")
    plain = [entry.plain for entry in read_open(stage.home, Stream.NOTICES)]
    notices = [json.loads(text) for text in plain if b"muniment-notice/1" in text]
    require(len(notices) == 1, f"expected one notice, found {len(notices)}")
    secret = (CASE, REASON, ALTERNATIVE, "Hari", SOUGHT + " ")
    require(
        not any(word.encode() in plain[0] for word in secret), "the notice tells who asked, why or for what"
    )
    notice: dict[str, Any] = notices[0]
    officer = OFFICER.replace("-", " ")
    yield f"Tomás Tutor is told: {notice['entries']} of his messages were opened under permit {notice['permit']} of the"
    yield f"{officer}, on which days and for what kind of purpose. Not who asked, nor why, nor the words."


LOOKING = (
    Step("R-5.2-f", "Somebody asks for the written permission to look", ask),
    Step("R-5.2-f", "The Managing Director permits it with a key that never leaves her", approve),
    Step("R-5.2-f", "Whoever edits the database widens nothing", cannot_widen),
    Step("R-5.0-a", "A room opens over exactly those entries; the message is found and read", read),
    Step("R-5.3-k", "What the permit does not name stays closed", neighbours_stay_closed),
    Step("R-5.3-o", "A pack is handed out, and a stranger proves it", hand_out_pack),
    Step("R-5.3-c", "The person looked at sees that it happened", told),
)


def _deliver(home: Home, moment: datetime) -> None:
    from muniment.site.attach import attached

    with attached(home):
        from muniment.account.notices import deliver_due

        deliver_due(home, moment)


def _on_home(stage: Stage, *words: str) -> str:
    return succeed(stage.command(*words, "--home", str(stage.home.path))).out


def _room(stage: Stage) -> RoomClient:
    place = rooms.parse_place(Home(stage.home.path), f"{stage.kept['permit']}-1")
    asked = rooms.load(place).request.requester
    return rooms.enter(place, Looker(asked.id, asked.name, asked.role))


def _unlocked(room: RoomClient, words: str) -> Any:
    state = room.unlock(words)
    while state.state == "building":
        state = room.state()
    return state
