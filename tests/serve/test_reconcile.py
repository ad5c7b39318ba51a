"""`muniment reconcile` on the logs of the real Postfix, before the gateway and behind it. R-2.1-b, R-5.1-a."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from muniment.cli.main import main
from muniment.record.entry import Kind, Stream
from muniment.record.ledger.checkpoint import parse_checkpoint
from muniment.record.ledger.note import parse_note
from muniment.record.open_entries import read_open

from .hop import Hop
from .house import House, envelope_map, house
from .ports import free_port
from .postfix import Postfix, postfix
from .talk import Talk, until
from .test_postfix import COLLEAGUE, OUTSIDER, SIGNED, TUTOR, letter

pytestmark = pytest.mark.xdist_group("postfix")
AROUND = "boss@around.example"


class World:
    """Postfix before the gateway, the gateway, Postfix behind it, and everybody else."""

    def __init__(self, front: Postfix, house: House, back: Postfix, outside: Hop) -> None:
        self.front, self.house, self.back, self.outside = front, house, back, outside

    def hand_in(self, content: bytes, *recipients: str) -> None:
        with Talk(self.front.port) as talk:
            assert talk.deliver(TUTOR, list(recipients), content).startswith(b"250 ")

    def settled(self) -> None:
        until(lambda: self.front.queued() == [] and self.back.queued() == [])

    def logs(self, folder: Path, edit: Callable[[list[str]], list[str]] = lambda lines: lines) -> list[Path]:
        """Return both logs as they are now, the one before the gateway edited; both go on a while with other lines."""
        paths = []
        for name, log in (("before.log", edit(_lines(self.front))), ("behind.log", _lines(self.back))):
            later = datetime.now() + timedelta(seconds=10)  # noqa: DTZ005 - as Postfix writes it
            instance = "postfix-out" if name == "behind.log" else "postfix"
            log.append(f"{later:%b %e %H:%M:%S} host {instance}/anvil[1]: statistics: max cache size 1")
            paths.append(folder / name)
            paths[-1].write_text("\n".join(log) + "\n")
        return paths

    def reconcile(
        self, capsys: pytest.CaptureFixture[str], *arguments: str | Path
    ) -> tuple[int, dict[str, Any]]:
        code = main(["reconcile", "--home", str(self.house.home.path), "--json", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)


def _tried_again(instance: Postfix) -> bool:
    """Try what waits once more, and tell whether nothing does; what was just put off may not be in its queue yet."""
    instance.flush()
    return instance.queued() == []


def _lines(instance: Postfix) -> list[str]:
    return instance.log().splitlines()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Hop(free_port()) as outside:
        beyond = f"[127.0.0.1]:{outside.server_address[1]}"
        with (
            postfix(free_port(), relayhost=beyond, syslog_name="postfix-out") as back,
            house(tmp_path, "recorder", "gateway", gateway__outbound_hop=f"127.0.0.1:{back.port}") as found,
            postfix(
                free_port(),
                relayhost=f"[127.0.0.1]:{found.ports['inside']}",
                transport_maps=f"inline:{{{{around.example=smtp:{beyond}}}}}",
            ) as front,
        ):
            yield World(front, found, back, outside)


def test_every_message_postfix_handed_on_is_found_and_the_record_states_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.hand_in(letter("one"), OUTSIDER)
    world.hand_in(letter("to three"), OUTSIDER, "second@outside.example", "third@outside.example")
    head = letter("signed").partition(b"MIME-Version")[0]
    world.hand_in(
        head + SIGNED, OUTSIDER
    )  # refused; Postfix writes a notice to its sender, through the gateway
    world.settled()
    world.house.processes["recorder"].kill()
    world.hand_in(letter("later"), OUTSIDER)
    until(lambda: "the record cannot take the message now" in world.front.log())
    world.house.start("recorder")
    until(lambda: _tried_again(world.front))
    world.settled()
    before, behind = world.logs(tmp_path)
    packed = tmp_path / "before.log.1.gz"
    packed.write_bytes(gzip.compress(before.read_bytes()))
    code, found = world.reconcile(capsys, packed, behind)
    assert (code, found["is_whole"], found["tallies"]) == (0, True, True), found
    assert (found["accepted"], found["recorded"], found["missing"]) == (4, 4, 0)
    assert (found["refused"], found["refused_recorded"], found["deferred"], found["bounced"]) == (1, 1, 1, 1)
    assert (found["handed_on"], found["handed_on_found"], found["unnamed"]) == (4, 4, 0)
    (stated,) = [
        e for e in read_open(world.house.home, Stream.HEALTH) if b"muniment-reconciliation/1" in e.plain
    ]
    assert found["statement"] == f"health/{stated.sequence}"
    assert json.loads(stated.plain)["size"] == stated.index
    assert parse_checkpoint(parse_note(found["checkpoint"].encode()).text).size > stated.index
    assert b"example" not in stated.plain  # no address is in an open entry

    assert main(["reconcile", "--home", str(world.house.home.path), str(before), str(behind)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "accepted 4, recorded 4, missing 0"
    assert any("Refused by the gateway: 1, recorded as refused 1" in line for line in printed)


def test_a_message_delivered_around_the_gateway_is_missing(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.hand_in(letter("by the way"), OUTSIDER)
    world.hand_in(letter("past the gateway"), AROUND)
    with Talk(world.back.port) as talk:
        assert talk.deliver(TUTOR, [OUTSIDER], letter("in behind it")).startswith(b"250 ")
    world.settled()
    logs = world.logs(tmp_path)
    code, found = world.reconcile(capsys, *logs)
    assert (code, found["accepted"], found["recorded"], found["missing"]) == (4, 3, 1, 2)
    assert sorted((each["instance"], each["why"]) for each in found["lacking"]) == [
        ("postfix", "around"),
        ("postfix-out", "around"),
    ]
    assert main(["reconcile", "--home", str(world.house.home.path), *map(str, logs)]) == 4
    assert capsys.readouterr().out.startswith("accepted 3, recorded 1, missing 2\n")


def test_a_log_that_was_edited_does_not_say_missing_0_alone(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        world.hand_in(letter(f"number {number}"), OUTSIDER)
    world.hand_in(letter("past the gateway"), AROUND)
    world.settled()

    def swap(lines: list[str]) -> list[str]:
        """Give the message that went around the line of one that did not, and take that one's out."""
        sent = [line for line in lines if "recorded mail-gateway/" in line]
        around = next(line for line in lines if "boss@around.example" in line and "status=sent" in line)
        line = sent[1].split("]: ", 1)[0] + "]: " + around.split("]: ", 1)[1].split(": ", 1)[0]
        forged = line + ": " + sent[1].split("]: ", 1)[1].split(": ", 1)[1]
        return [forged if line == around else line for line in lines if line != sent[1]]

    before, behind = world.logs(
        tmp_path, lambda lines: [x for x in lines if "recorded mail-gateway/2" not in x]
    )
    code, found = world.reconcile(capsys, before)
    assert (code, found["tallies"], found["unnamed_numbers"]) == (4, False, ["mail-gateway/2"])
    assert main(["reconcile", "--home", str(world.house.home.path), str(before)]) == 4
    first = capsys.readouterr().out.splitlines()[0]
    assert (
        first
        == "accepted 3, recorded 2, missing 1 so far as could be judged; 1 entry that no line of the log names"
    )

    before, behind = world.logs(tmp_path, swap)
    code, found = world.reconcile(capsys, before, behind)
    assert (code, found["missing"], found["undecided"], found["is_whole"]) == (7, 0, 1, False)
    before, behind = world.logs(tmp_path, lambda lines: swap(lines) + _lines(world.front))
    code, found = world.reconcile(capsys, before, behind)
    assert code == 4
    assert {each["why"] for each in found["lacking"]} == {"around", "twice"}

    broken = tmp_path / "broken.log"
    broken.write_text(before.read_text().replace("relay=", "rely=", 1))
    world.reconcile(capsys, broken)
    assert main(["reconcile", "--home", str(world.house.home.path), str(broken)]) == 4
    assert "so far as could be judged" in capsys.readouterr().out.splitlines()[0]
    assert found["accepted"] == found["recorded"] + found["missing"]


class Cutter:
    """Stands before the gateway's door and hangs up on the client instead of passing on the first 250 to a message."""

    def __init__(self, door: int) -> None:
        self._door, self.is_cut = door, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Cutter:
        self._start(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments))
        self._threads[-1].start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            gateway = socket.create_connection(("127.0.0.1", self._door))
            self._start(self._pass, client, gateway, False)
            self._start(self._pass, gateway, client, True)

    def _pass(self, source: socket.socket, target: socket.socket, is_reply: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if is_reply and not self.is_cut and b"250 2.0.0 recorded" in data:
                    self.is_cut = True
                    break
                target.sendall(data)
        for each in (target, source):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        if is_reply:
            source.close()
            target.close()


def test_a_message_sent_again_after_a_lost_reply_is_an_observation_and_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decision 0006: the second arrival is kept as an entry of its own that names the first."""
    with (
        Hop(free_port()) as inside,
        house(
            tmp_path, "recorder", "gateway", gateway__outbound_hop=f"127.0.0.1:{inside.server_address[1]}"
        ) as found,
        Cutter(found.ports["inside"]) as cutter,
        postfix(free_port(), relayhost=f"[127.0.0.1]:{cutter.port}") as front,
    ):
        with Talk(front.port) as talk:
            assert talk.deliver(TUTOR, [COLLEAGUE], letter("twice")).startswith(b"250 ")
        until(lambda: "message may be sent more than once" in front.log())
        until(lambda: _tried_again(front))
        entries = found.entries(Stream.MAIL_GATEWAY)
        assert [each.row.kind for each in entries] == [Kind.RECORD, Kind.OBSERVATION]
        assert entries[1].row.about == entries[0].row.idx
        assert envelope_map(entries[0])["rcpt_to"] == envelope_map(entries[1])["rcpt_to"] == [COLLEAGUE]
        assert len(inside.messages) == 2, (
            "the hop had taken the first; a sender that hears nothing must try again"
        )
        log = tmp_path / "mail.log"
        later = datetime.now() + timedelta(seconds=10)  # noqa: DTZ005 - as Postfix writes it
        log.write_text(front.log() + f"{later:%b %e %H:%M:%S} host postfix/anvil[1]: statistics: x\n")
        arguments = [
            "--home",
            str(found.home.path),
            "--gateway",
            f"127.0.0.1:{cutter.port}",
            "--json",
            str(log),
        ]
        assert main(["reconcile", *arguments]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["accepted"], told["recorded"], told["missing"], told["unnamed"]) == (1, 1, 0, 0)
        assert (told["again"], told["deferred"]) == (1, 1)


def test_the_gateway_tells_one_message_id_with_two_texts_and_not_one_text_by_two_ways(tmp_path: Path) -> None:
    with house(tmp_path) as found:
        with Talk(found.ports["inside"]) as talk:
            assert talk.deliver(TUTOR, [OUTSIDER], letter("same")).startswith(b"250 ")
        with Talk(found.ports["journal"]) as talk:
            stamped = found.entries(Stream.MAIL_GATEWAY)[0].sent
            assert stamped is not None
            assert talk.deliver(TUTOR, [OUTSIDER], b"Received: from x\r\n" + stamped).startswith(b"250 ")
            assert talk.deliver(TUTOR, [OUTSIDER], letter("same", "Other words.")).startswith(b"250 ")
        until(lambda: [e for e in read_open(found.home, Stream.HEALTH) if b"muniment-alarm/1" in e.plain])
        alarms = [
            json.loads(e.plain)
            for e in read_open(found.home, Stream.HEALTH)
            if b"muniment-alarm/1" in e.plain
        ]
        assert [(each["earlier"], each["entry"]) for each in alarms] == [("mail-journal/1", "mail-journal/2")]
