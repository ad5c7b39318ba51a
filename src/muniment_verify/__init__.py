"""Checks, offline, what was handed out of a Muniment record: a pack of messages, or one exported entry.

This is one file on purpose. It needs Python 3.8 or later and nothing else. You can read all of it in an hour, and run
it as it stands; in a pack it is called verify.py:

    python3 verify.py PACK.zip --vkey 'KEY OF THE LOG'        or a folder, or an entry.json

For each message recorded an *entry* (176 bytes, the "leaf") stands in a log. A *proof* is the entry's place in the log,
a few hashes, and a *checkpoint*, which says "this log has so many entries, and this is the hash over all of them",
signed by the log. A pack holds messages, their entries and proofs, and for each a *disclosure*: the secret that shows
that the entry was committed to these bytes, and no others, when it was recorded. What is checked:

1. `check_manifest`: every file of the pack is there, unchanged, and no other (BagIt, RFC 8493).
2. `Log.prove`: the checkpoint's signature is the log's (Ed25519, RFC 8032); the entry's hash, combined with the hashes
   of the proof, gives the hash in the checkpoint (RFC 9162, 2.1.3.2). Nobody can find other bytes for which it does.
3. `check_message`: the message, cut and salted as its disclosure says, gives the commitment in the entry.
4. `check_permit`: an officer's key signed the permission under which the messages were opened.

Formats: docs/formats/pack.md, exported-entry.md, leaf.md, redaction.md; C2SP signed-note, tlog-checkpoint, tlog-proof.
Exit code: 0 proved, 6 not proved, 2 not readable.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple  # noqa: UP035

PROVED, UNREADABLE, NOT_PROVED = 0, 2, 6
MOST_FILES, MOST_BYTES, MOST_FILE_BYTES = 200_000, 8 << 30, 1 << 30
FILE_NAME = re.compile(r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*", re.ASCII)
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave in a folder they showed
_TEXTS = ("format", "origin", "vkey", "number", "leaf", "proof", "frame_body")
TYPES: dict[str, type] = {**dict.fromkeys(_TEXTS, str), "index": int, "example": bool}
OPENED = {**dict.fromkeys(("format", "number", "seed"), str), "faces": list, "keeps": list, "holder": dict}
OFFICER: dict[str, type] = dict.fromkeys(("id", "name", "role", "signing_key"), str)

LEAF = struct.Struct(">4sBBHIIQIHBBQQ32s32s32s32s")
_KINDS = (
    "1 record,2 blob,3 expiry,4 hold,5 look,6 approval,7 key event,8 policy version,9 anchor,"
    "10 heartbeat,11 disclosure,12 outcome,13 gap,14 observation,15 fact"
)
_CHANNELS = "0 the record itself,1 SMTP,2 web,3 call,4 print,5 login,6 chat,7 voicemail,8 admission"
_CAPTURES = "1 on the wire,2 from a journal,3 from a milter,4 by import,5 by hand"
_STREAMS = (
    "1 keys,2 health,3 retention,4 policy,5 people,6 permits,7 looks,8 disclosures,9 notices,"
    "16 mail-gateway,17 mail-journal,18 mail-import,19 mail-refused,20 mail-outcome,21 mail-attachment"
)
_SEALS = ("content (sealed)", "meta (sealed)", "facts (kept)", "plain (open)")


class Unreadable(Exception):
    """The file does not have the form it must have."""


class NotProved(Exception):
    """The file has the right form, and something in it does not hold."""


def read_json(data: bytes) -> Any:
    """Read JSON; refuse an object in which a field stands twice."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the file is not JSON, or holds a field twice") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


def with_fields(value: Any, types: dict[str, Any], *optional: str) -> dict[str, Any]:
    """Return the object when it has the fields it must have, each of its type, and no others."""
    if not isinstance(value, dict) or not set(types) - set(optional) <= set(value) <= set(types):
        raise Unreadable("a field is missing or unknown; expected " + ", ".join(sorted(types)))
    for name, found in value.items():
        if type(found) is not types[name] or (isinstance(found, str) and re.search("[\ud800-\udfff]", found)):
            raise Unreadable(f"the field {name} does not hold what it must")
    return value


def read_entry(value: Any) -> dict[str, Any]:
    """Return an exported entry with its bytes decoded."""
    value = dict(with_fields(value, TYPES, "frame_body"))
    if value["format"] != "muniment-entry/1":
        raise Unreadable("this is no exported entry of the format muniment-entry/1")
    return {**value, **{name: from_base64(value[name]) for name in ("leaf", "frame_body") if name in value}}


def from_base64(text: str) -> bytes:
    """Decode base64 in its one allowed form, so that no two texts mean the same bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise Unreadable("expected base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise Unreadable("base64 with spare bits")
    return data


def from_decimal(text: str) -> int:
    """Read a whole number in its one allowed form."""
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text):
        raise Unreadable("expected a number without sign or leading zero")
    return int(text)


def read_key(text: str) -> tuple[str, bytes, bytes]:
    """Return name, id and bytes of a key, `name+id+base64`; check that the id is its own and the key is sound."""
    name, _, rest = text.strip().partition("+")
    claimed_id, _, encoded = rest.partition("+")
    raw = from_base64(encoded)
    if not name.isprintable() or " " in name or not name or len(raw) != 33 or raw[0] != 1:
        raise Unreadable("a log's key has the form name+id+base64, and is an Ed25519 key (type 01, 32 bytes)")
    key_id = hashlib.sha256(name.encode("utf-8") + b"\n" + raw).digest()[:4]
    if key_id.hex() != claimed_id or not is_sound_key(raw[1:]):
        raise Unreadable("the key does not have the id it claims, or is one that would fit many texts")
    return name, key_id, raw[1:]


def check_checkpoint(note: str, name: str, key_id: bytes, public: bytes) -> tuple[int, bytes, int]:
    """Return how many entries the log has, the hash over all of them, and how many others signed that.

    The first line is the log's name; the key must have it too, and have signed.
    """
    text, separator, lines = note.rpartition("\n\n")
    text += "\n"
    if not separator or not lines.endswith("\n") or re.search("[\x00-\x09\x0b-\x1f]", note):
        raise Unreadable("the checkpoint is no signed note")
    is_signed, others = False, 0
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not parts[1] or "+" in parts[1]:
            raise Unreadable("a line of signature is malformed")
        raw = from_base64(parts[2])
        if (parts[1], raw[:4]) != (name, key_id):
            others += 1
        elif not verify_signature(public, text.encode("utf-8"), raw[4:]):
            raise NotProved(f"the signature on the checkpoint is not by the key of {name}")
        else:
            is_signed = True
    if not is_signed:
        raise NotProved(f"the checkpoint is not signed by the key of {name} (id {key_id.hex()})")
    fields = text.split("\n")
    if len(fields) != 4 or fields[3]:
        raise Unreadable("a checkpoint has three lines: the log's name, its size, its hash")
    if fields[0] != name:
        raise NotProved("the checkpoint and the key do not name the same log")
    return from_decimal(fields[1]), from_base64(fields[2]), others


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Return the entry's index, the hashes that lead up from it, and the checkpoint."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]  # nobody signs it
    if not separator or lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 2 or lines[1][:6] != "index ":
        raise Unreadable("the proof does not have the form c2sp.org/tlog-proof@v1")
    hashes = [from_base64(line) for line in lines[2:]]
    if len(hashes) > 63 or any(len(value) != 32 for value in hashes):
        raise Unreadable("a proof holds at most 63 hashes of 32 bytes")
    return from_decimal(lines[1][6:]), hashes, note


def check_inclusion(leaf: bytes, index: int, size: int, hashes: list[bytes], root: bytes) -> None:
    """Combine the leaf's hash with those of the proof, left or right as its index demands, up to the root."""
    if not 0 <= index < size:
        raise NotProved(f"the log has {size} entries, and so no entry {index}")
    node, last, found = index, size - 1, hashlib.sha256(b"\x00" + leaf).digest()
    for sibling in hashes:
        if last == 0:
            raise NotProved("the proof has more hashes than the log has levels")
        if node & 1 or node == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        node, last = node >> 1, last >> 1
    if last or found != root:
        raise NotProved(f"this is not entry {index} of the log: the hashes do not lead to the signed one")


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """Return what the 176 bytes say, field by field; numbers we have no word for stay numbers."""
    if len(leaf) != LEAF.size or leaf[:4] != b"MUN1":
        raise Unreadable("an entry has 176 bytes and begins with MUN1")
    fields = LEAF.unpack(leaf)
    until = "(no date)" if fields[7] == 2**32 - 1 else _moment(fields[7] * 86_400_000)
    return {
        "number": f"{_word(_STREAMS, fields[8])}/{fields[11]}",
        "kind": _word(_KINDS, fields[1]),
        "channel": _word(_CHANNELS, fields[2]),
        "captured": _moment(fields[6]),
        "capture": _word(_CAPTURES, fields[9]),
        "retention_class": fields[3],
        "not_disposed_of_before": until[:10],
        "epoch": fields[4],
        "position_in_epoch": fields[5],
        "parts": [name for bit, name in enumerate(_SEALS) if fields[10] >> bit & 1],
        "body_bytes": fields[12],
        "body_sha256": fields[13].hex(),
        "content_commitment": fields[14].hex(),
        "meta_commitment": fields[15].hex(),
        "policy_sha256": fields[16].hex(),
    }


def _word(words: str, number: int) -> str:
    found = re.search(f"(?:^|,){number} ([^,]*)", words)
    return found.group(1) if found else f"unknown-{number}"


def _moment(milliseconds: int) -> str:
    try:
        when = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)  # noqa: UP017
    except OverflowError:
        return "9999-12-31 or later"
    return when.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03d} UTC"


class Log:
    """The log whose key is trusted. It proves entries, and counts signatures by others."""

    def __init__(self, vkey: str) -> None:
        self.name, self.key_id, self.public = read_key(vkey)
        self.checkpoints: dict[str, tuple[int, bytes, int]] = {}

    def prove(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what an entry says, once it is proved."""
        facts, (index, hashes, note) = read_leaf(value["leaf"]), read_proof(value["proof"])
        if note not in self.checkpoints:
            self.checkpoints[note] = check_checkpoint(note, self.name, self.key_id, self.public)
        size, root, _ = self.checkpoints[note]
        if (self.name, index, facts["number"]) != (value["origin"], value["index"], value["number"]):
            raise NotProved("the file names another log, place or number than its proof and its entry do")
        check_inclusion(value["leaf"], index, size, hashes, root)
        body = value.get("frame_body", b"")
        told = (facts["body_bytes"], facts["body_sha256"])
        if "frame_body" in value and (len(body), hashlib.sha256(body).hexdigest()) != told:
            raise NotProved("the sealed bytes in this file are not those that the entry names")
        return facts

    def result(self, given: bool, claims: list[str], gaps: list[str], **more: Any) -> dict[str, Any]:
        """Return what is proved and what is not; `given` when the key came from the caller."""
        others = min((count for _, _, count in self.checkpoints.values()), default=0)
        witnesses = f"{others} more signature(s) were not checked" if others else "No witness signed"
        whose = "Whose log this is. Its key was in the file itself; anyone could have made it. Give one with --vkey."
        signed = [
            f"The key {'you gave' if given else 'in this same file'} (id {self.key_id.hex()}) signed a checkpoint "
            f"of the log {self.name} over {size} entries."
            for size in sorted(size for size, _, _ in self.checkpoints.values())
        ]
        gaps = [
            *([] if given else [whose]),
            *gaps,
            "That the recorder's clock was right. The time of capture is the recorder's own word.",
            "That the recorder was given everything. The log shows what was recorded, not what never reached it.",
            f"That everyone was shown the same log. {witnesses}.",
        ]
        return {"proved": signed + claims, "not_proved": gaps, "key_given": given, **more}


def verify(data: bytes, vkey: str | None = None) -> dict[str, Any]:
    """Check an exported entry; return what is proved, what is not, and what the entry says.

    `vkey` is the log's key, had from somewhere you trust; without it the file's own. Raises: Unreadable, NotProved.
    """
    value = read_entry(read_json(data))
    log = Log(value["vkey"] if vkey is None else vkey)
    facts = log.prove(value)
    claims = [f"Entry {value['index']} of that log is the one in this file, every byte of it."]
    gaps = ["What the sealed bytes say. They are encrypted, and this program has no key to them."]
    if "frame_body" in value:
        claims.append(f"The {facts['body_bytes']} sealed bytes in this file are those the entry stands for.")
    else:
        gaps = ["Anything about the sealed bytes: they are not in this file."]
    return log.result(vkey is not None, claims, gaps, entry=facts, example=value["example"])


class Pack:
    """The files of a pack, in a folder or a zip file, by name. Nothing is ever unpacked to disk."""

    def __init__(self, path: Path) -> None:
        try:
            self.zip = None if path.is_dir() else zipfile.ZipFile(path)
        except (ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise Unreadable(f"neither a pack nor an entry: {error}") from error
        self.files: dict[str, Any] = {}
        found = list(self._found(path))
        tops = {name.partition("/")[0] for name, _, _ in found}
        cut = len(min(tops)) + 1 if len(tops) == 1 else 0
        for name, each, _ in found:
            if name[cut:] in self.files or not FILE_NAME.fullmatch(name[cut:]):
                raise Unreadable(f"a pack holds no file of this name, or not twice: {name[:100]!r}")
            self.files[name[cut:]] = each
        sizes = [size for _, _, size in found]
        if len(found) > MOST_FILES or sum(sizes) > MOST_BYTES or max(sizes, default=0) > MOST_FILE_BYTES:
            raise Unreadable("this is more than this program will read")
        if "bagit.txt" not in self.files:
            raise Unreadable("this folder or zip file is no pack: it has no bagit.txt")

    def _found(self, path: Path) -> Iterator[tuple[str, Any, int]]:
        for item in self.zip.infolist() if self.zip else ():
            if not item.is_dir():
                yield item.filename, item, item.file_size
        for each in () if self.zip else path.rglob("*"):
            if each.is_symlink() or not (each.is_dir() or each.name in LITTER):
                yield each.relative_to(path).as_posix(), each, each.lstat().st_size

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        if name not in self.files:
            raise Unreadable(f"{name} is missing")
        try:
            return self.zip.read(self.files[name]) if self.zip else bytes(self.files[name].read_bytes())
        except Exception as error:  # locked, damaged, packed in an unknown way
            raise Unreadable(f"{name} cannot be read: {error}") from error


def check_manifest(pack: Pack) -> list[str]:
    """Return what is wrong with the files of a pack: changed, missing, or added."""
    wrong, listed = [], {"tagmanifest-sha256.txt", "tagmanifest-sha512.txt"}
    for prefix in ("tagmanifest", "manifest"):
        for line in pack.read(f"{prefix}-sha256.txt").decode("utf-8", "replace").splitlines():
            digest, _, name = line.partition("  ")
            listed.add(name)
            if name not in pack.files:
                wrong.append(f"{name} is missing.")
            elif hashlib.sha256(pack.read(name)).hexdigest() != digest:
                wrong.append(f"{name} was changed: its hash is not the one in the manifest.")
    return wrong + [f"{name} was added: no manifest names it." for name in pack.files if name not in listed]


def check_message(pack: Pack, folder: str, log: Log) -> dict[str, Any]:
    """Check one message of a pack against its entry in the log; return what the entry says."""
    entry = holder = read_entry(read_json(pack.read(f"{folder}/entry.json")))
    opened = with_fields(read_json(pack.read(f"{folder}/disclosure.json")), OPENED, "holder", "keeps")
    facts = log.prove(entry)
    if (opened["format"], opened["number"]) != ("muniment-opened/1", entry["number"]):
        raise NotProved("the disclosure is of another entry")
    if ("holder" in opened) != (facts["kind"] == "observation"):
        raise NotProved("only a message that came again is held by an earlier entry")
    if "holder" in opened:
        holder = read_entry(opened["holder"])
        log.prove(holder)
    names = [f"{folder}/message.eml", *(name for name in (f"{folder}/as-sent.eml",) if name in pack.files)]
    faces = [pack.read(name) for name in names]
    if "keeps" in opened:  # a message above 16 MiB: the entry is committed to its length and hash
        faces = [long_content(opened["keeps"], *faces)]
    check_bytes(holder["leaf"], from_base64(opened["seed"]), opened["faces"], faces)
    return {**facts, "example": entry["example"], "reads": f"{folder}/message.eml"}


def check_bytes(leaf: bytes, seed: bytes, shape: list[Any], faces: list[bytes]) -> None:
    """Check that these are the bytes an entry was committed to; `shape` is [length, ends of units] of each face."""
    if len(seed) != 32 or [item[0] for item in shape] != [len(face) for face in faces]:
        raise NotProved("the message has another length than the one recorded")
    for length, ends in shape:
        if any(type(end) is not int for end in ends) or ends != sorted(set(ends)) or [0, *ends][-1] != length:
            raise Unreadable("the ends of a message's units rise, up to its length")
    if commit(seed, faces, [item[1] for item in shape]) != LEAF.unpack(leaf)[14]:
        raise NotProved("the message is not the one that was recorded")


def commit(seed: bytes, faces: list[bytes], ends: list[list[int]]) -> bytes:
    """Return the commitment to bytes cut into units at `ends` and salted from `seed` (docs/formats/redaction.md)."""
    shape = [struct.pack(">QI", len(face), len(cuts)) for face, cuts in zip(faces, ends)]
    units = [bytes((1, len(faces))) + b"".join(shape)]
    for face, cuts in zip(faces, ends):
        units += [face[start:end] for start, end in zip([0, *cuts], cuts)]
    salts = [seed]
    for level in reversed(range(max(1, ((len(units) - 1).bit_length() + 1) // 2))):
        wide = b"".join(hashlib.sha512(b"muniment/1 salts" + node).digest() for node in salts)
        salts = [wide[at : at + 16] for at in range(0, len(wide), 16)][: -(-len(units) >> 2 * level)]
    hashes = [hashlib.sha256(b"\x00" + salt + unit).digest() for salt, unit in zip(salts, units)]
    while len(hashes) > 1:
        above = [hashlib.sha256(b"\x01" + one + two).digest() for one, two in zip(hashes[::2], hashes[1::2])]
        hashes = above + hashes[2 * len(above) :]
    return hashes[0]


def long_content(keeps: list[Any], written: bytes, *sent: bytes) -> bytes:
    """Return the content of a long message's entry: length and hash as written, and how the bytes sent differ.

    Those begin with the first and end with the last bytes of the written ones; `keeps` says with how many.
    """
    head = b"\x94\x01" + packed(len(written)) + packed(hashlib.sha256(written).digest())
    if not sent:
        return head + b"\xc0"
    start, end = keeps
    middle = sent[0][start : len(sent[0]) - end]
    if start < 0 or end < 0 or written[:start] + middle + written[len(written) - end :] != sent[0]:
        raise NotProved("the message as sent is not made from the one as written")
    return head + b"\x93" + packed(start) + packed(end) + packed(middle)


def packed(value: Any) -> bytes:
    """Return a whole number or bytes as MessagePack writes them."""
    number, data = (len(value), value) if isinstance(value, bytes) else (value, b"")
    if number < 128 and not isinstance(value, bytes):
        return bytes((number,))
    width = next(width for width in (1, 2, 4, 8) if number < 1 << 8 * width)
    code = (0xC4 if isinstance(value, bytes) else 0xCC) + (1, 2, 4, 8).index(width)
    return bytes((code,)) + number.to_bytes(width, "big") + data


def check_permit(pack: Pack, log: Log, officer_key: str | None) -> str:
    """Check the approval under which the messages were opened; return what it proves."""
    text, approved = pack.read("data/permit/request.json"), pack.read("data/permit/approval.json")
    request, approval = read_json(text), read_json(approved)
    officer = with_fields(read_json(pack.read("data/permit/officer.json")), OFFICER)
    for name in ("origin", "number", "revision"):
        if request[name] != approval[name] or request["origin"] != log.name:
            raise NotProved("the approval is of another request, or of another record")
    if (hashlib.sha256(text).hexdigest(), officer["id"]) != (approval["request_sha256"], approval["officer"]):
        raise NotProved("the officer approved another text than this request")
    if officer_key is not None and officer["signing_key"] != officer_key.strip():
        raise NotProved("the approval is not by the officer's key you gave")
    signature = from_base64(pack.read("data/permit/signature.txt").decode("ascii", "replace").strip())
    key = from_base64(officer["signing_key"])
    if not verify_signature(key, b"muniment/1 approval\n" + approved, signature):
        raise NotProved("the signature on the approval is not by the officer's key in the pack")
    known, smallest = (
        request["checkpoint"]["size"],
        min([size for size, _, _ in log.checkpoints.values()] or [0]),
    )
    age = f" It was asked over {known}; a checkpoint here is older, over {smallest}." * (smallest < known)
    return (
        f"The key {officer['signing_key']}, as the pack says of {officer['name']} ({officer['role']}), signed the "
        f"approval of permit {request['number']} revision {request['revision']}, purpose {request['purpose']}, on "
        f"{_moment(approval['decided_ms'])}, until {_moment(approval['ends_ms'])}.{age}"
    )


def verify_pack(path: Path, vkey: str | None = None, officer_key: str | None = None) -> dict[str, Any]:
    """Check a pack; return what is proved, what is not, and every problem found.

    Raises: Unreadable when it is no pack, or nothing in it names a log.
    """
    pack = Pack(path)
    folders = sorted({name.rpartition("/")[0] for name in pack.files if re.match(r"data/\d{4,}/", name)})
    if vkey is None and not folders:
        raise Unreadable("the pack holds no message; give the log's key with --vkey")
    log = Log(read_entry(read_json(pack.read(f"{folders[0]}/entry.json")))["vkey"] if vkey is None else vkey)
    messages: list[dict[str, Any]] = []
    permits: list[str] = []
    problems = _tried("the files", lambda: check_manifest(pack))
    for folder in folders:
        problems += _tried(folder, lambda: messages.append(check_message(pack, folder, log)))  # noqa: B023
    problems += _tried("the permit", lambda: permits.append(check_permit(pack, log, officer_key)))
    claims = [f"{len(messages)} message(s) are, to the byte, what was recorded there."] if messages else []
    gaps = [
        "That these are all there are. The statement in the pack says what was searched, and what could not be.",
        "Who wrote a message; and the pages and extracted texts in the pack: only the .eml files are proved.",
    ]
    if officer_key is None:
        gaps.append("Whose key signed the approval. Ask the officer, or give it with --officer-key.")
    if any(message["kind"] == "observation" for message in messages):
        gaps.append("That a message came again when its entry says so. An earlier entry proves its bytes.")
    if any(message["capture"] == "from a milter" for message in messages):
        gaps.append("The headers of messages captured from a milter: they are a faithful reconstruction.")
    more = {"problems": problems, "messages": messages}
    more["manifest_sha256"] = hashlib.sha256(pack.read("manifest-sha256.txt")).hexdigest()
    example = any(message["example"] for message in messages)
    return log.result(vkey is not None, claims + permits, gaps, example=example, **more)


def _tried(what: str, check: Callable[[], Any]) -> list[str]:
    """Return the problems that one check finds."""
    try:
        return check() or []
    except (Unreadable, NotProved) as error:
        return [f"{what}: {error}."]
    except (LookupError, TypeError, ValueError, RecursionError, OverflowError, struct.error) as error:
        return [f"{what}: does not have the form it must have ({type(error).__name__})."]


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser("muniment-verify", description="Check a pack or an entry, offline.")
    parser.add_argument("path", type=Path, help="a pack (zip file or folder), or an exported entry (JSON)")
    parser.add_argument("--vkey", help="the log's public key, had from somewhere you trust")
    parser.add_argument("--officer-key", help="the approving officer's signing key, had from the officer")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    path = options.path
    result: dict[str, Any] = {"problems": []}
    try:
        if path.is_dir() or zipfile.is_zipfile(path):
            result = verify_pack(path, options.vkey, options.officer_key)
        else:
            result.update(verify(path.read_bytes(), options.vkey))
        code = NOT_PROVED if result["problems"] else PROVED
    except (Unreadable, OSError) as error:
        result, code = {"error": f"not readable: {error}"}, UNREADABLE
    except NotProved as error:
        result, code = {"error": f"NOT PROVED: {error}"}, NOT_PROVED
    result["verified"] = code == PROVED
    print(json.dumps(result, indent=2, sort_keys=True) if options.json else "\n".join(_page(result)))
    return code


def _page(result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return [result["error"]]
    lines = ["EXAMPLE: of an example organisation; nothing real happened."] if result["example"] else []
    if result["problems"]:
        lines += ["NOT PROVED. What is wrong:", *("  ! " + problem for problem in result["problems"])]
    lines += ["Proved:", *("  + " + claim for claim in result["proved"])]
    lines += ["Not proved:", *("  - " + gap for gap in result["not_proved"])]
    lines += ["The entry says:"] if "entry" in result else []
    for name, value in result.get("entry", {}).items():
        shown = ", ".join(value) if isinstance(value, list) else value
        lines.append(f"    {name.replace('_', ' '):23} {shown}")
    for each in result.get("messages", ()):
        lines.append(f"    {each['reads']:24} {each['number']}, {each['captured']}")
    if "manifest_sha256" in result:
        lines.append(
            f"SHA-256 of the manifest, to compare with the one you were told: {result['manifest_sha256']}"
        )
    return lines


# Ed25519 after RFC 8032, section 5.1. It is slow, and has no secret to leak: it only verifies. For a point, X/Z is
# its x, Y/Z its y and T/Z their product.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


class Point(NamedTuple):
    """A point of the curve in extended coordinates."""

    X: int
    Y: int
    Z: int
    T: int


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether [S]B - [k]A, written down, is exactly the R of the signature; S must be below L."""
    key, s = decompress(public), int.from_bytes(signature[32:], "little")
    if key is None or not is_sound_key(public) or len(signature) != 64 or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus_key = Point(P - key.X, key.Y, key.Z, P - key.T)
    return compress(add(multiply(s, BASE), multiply(k, minus_key))) == signature[:32]


def is_sound_key(public: bytes) -> bool:
    """Say whether the key is a point in its one allowed form, and not one of the eight that fit many texts."""
    point = decompress(public)
    return (
        len(public) == 32
        and point is not None
        and compress(multiply(8, point)) != compress(Point(0, 1, 1, 0))
    )


def decompress(data: bytes) -> Point | None:
    """Return the point that 32 bytes stand for, or None (RFC 8032, 5.1.3)."""
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return Point(x, y, 1, x * y % P)


def compress(point: Point) -> bytes:
    """Return the 32 bytes of a point."""
    inverse = pow(point.Z, P - 2, P)
    return (point.Y * inverse % P | (point.X * inverse % P & 1) << 255).to_bytes(32, "little")


def add(one: Point, two: Point) -> Point:
    """Return the sum of two points (RFC 8032, 5.1.4)."""
    a, b = (one.Y - one.X) * (two.Y - two.X) % P, (one.Y + one.X) * (two.Y + two.X) % P
    c, d = 2 * one.T * two.T * D % P, 2 * one.Z * two.Z % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(factor: int, point: Point) -> Point:
    """Return a point added to itself `factor` times, by doubling."""
    total = Point(0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or Point(0, 1, 1, 0)

if __name__ == "__main__":
    raise SystemExit(main())
