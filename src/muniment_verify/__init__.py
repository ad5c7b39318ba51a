"""Checks, offline, an entry that was exported from a Muniment record.

This is one file on purpose. It needs Python 3.8 or later and nothing else, and imports nothing of Muniment. You can
read all of it in half an hour, and run it as it stands:

    python3 muniment_verify/__init__.py ENTRY.json --vkey 'KEY OF THE LOG'

What it checks (begin with the function `verify`):

1. `read_exported`: the file is JSON. It holds an *entry* (176 bytes, the "leaf"), perhaps the sealed bytes the entry
   stands for, and a *proof*: the entry's place in the log, a few hashes, and a *checkpoint*, which says "this log has
   so many entries, and this is the hash over all of them", signed by the log.
2. `check_checkpoint`: the signature is the log's (Ed25519, RFC 8032).
3. `check_inclusion`: the entry's hash, combined with the hashes of the proof, gives the hash in the checkpoint (RFC
   9162, 2.1.3.2). Nobody can find other bytes for which this holds.
4. `verify`: the length and the SHA-256 of the sealed bytes are those that the entry names.

Formats: docs/formats/exported-entry.md and leaf.md; C2SP signed-note, tlog-checkpoint, tlog-proof.
Exit code: 0 proved, 6 not proved, 2 not readable.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    HAVE_LIBRARY = True
except ImportError:  # then the arithmetic at the end of this file is used
    HAVE_LIBRARY = False

PROVED, UNREADABLE, NOT_PROVED = 0, 2, 6
_TEXTS = ("format", "origin", "vkey", "number", "leaf", "proof", "frame_body")
TYPES: dict[str, type] = {**dict.fromkeys(_TEXTS, str), "index": int, "example": bool}

LEAF = struct.Struct(">4sBBHIIQIHBBQQ32s32s32s32s")
_KINDS = (
    "1 record,2 blob,3 expiry,4 hold,5 look,6 approval,7 key event,8 policy version,9 anchor,"
    "10 heartbeat,11 disclosure,12 outcome,13 gap,14 observation,15 fact"
)
_CHANNELS = "0 the record itself,1 SMTP,2 web,3 call,4 print,5 login,6 chat,7 voicemail,8 admission"
_CAPTURES = "1 on the wire,2 from a journal,3 from a milter,4 by import,5 by hand"
_STREAMS = (
    "1 keys,2 health,3 retention,4 policy,5 people,6 permits,7 looks,8 disclosures,9 notices,"
    "16 mail-gateway,17 mail-journal,18 mail-import,19 mail-refused,20 mail-outcome"
)
_SEALS = ("content (sealed)", "meta (sealed)", "facts (kept)", "plain (open)")


class Unreadable(Exception):
    """The file is not an exported entry."""


class NotProved(Exception):
    """The file is an exported entry, and something in it does not hold."""


def read_exported(data: bytes) -> dict[str, Any]:
    """Read the JSON file; refuse fields that are missing, unknown, doubled or of another type."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the file is not JSON, or holds a field twice") from error
    if not isinstance(value, dict) or value.get("format") != "muniment-entry/1":
        raise Unreadable("the file is no exported entry of the format muniment-entry/1")
    if not set(TYPES) - {"frame_body"} <= set(value) <= set(TYPES):
        raise Unreadable("a field is missing or unknown; expected " + ", ".join(sorted(TYPES)))
    for name, found in value.items():
        if type(found) is not TYPES[name] or (isinstance(found, str) and re.search("[\ud800-\udfff]", found)):
            raise Unreadable(f"the field {name} does not hold what it must")
    value["leaf"] = from_base64(value["leaf"])
    if "frame_body" in value:
        value["frame_body"] = from_base64(value["frame_body"])
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands there twice")
    return dict(pairs)


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
    return {
        "number": f"{_word(_STREAMS, fields[8])}/{fields[11]}",
        "kind": _word(_KINDS, fields[1]),
        "channel": _word(_CHANNELS, fields[2]),
        "captured": _moment(fields[6]),
        "capture": _word(_CAPTURES, fields[9]),
        "retention_class": fields[3],
        "not_disposed_of_before": "(no date)"
        if fields[7] == 2**32 - 1
        else _moment(fields[7] * 86_400_000)[:10],
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


def verify(data: bytes, vkey: str | None = None) -> dict[str, Any]:
    """Check an exported entry; return what is proved, what is not, and what the entry says.

    `vkey` is the log's key, had from somewhere you trust; without it the file's own. Raises: Unreadable, NotProved.
    """
    value = read_exported(data)
    name, key_id, public = read_key(value["vkey"] if vkey is None else vkey)
    facts, (index, hashes, note) = read_leaf(value["leaf"]), read_proof(value["proof"])
    size, root, others = check_checkpoint(note, name, key_id, public)
    if (name, index, facts["number"]) != (value["origin"], value["index"], value["number"]):
        raise NotProved("the file names another log, place or number than its proof and its entry do")
    check_inclusion(value["leaf"], index, size, hashes, root)
    claims = [
        f"The key {'in this same file' if vkey is None else 'you gave'} (id {key_id.hex()}) signed a "
        f"checkpoint of the log {name} over {size} entries.",
        f"Entry {index} of that log is the one in this file, every byte of it.",
    ]
    if "frame_body" in value:
        body = value["frame_body"]
        if len(body) != facts["body_bytes"] or hashlib.sha256(body).hexdigest() != facts["body_sha256"]:
            raise NotProved("the sealed bytes in this file are not those that the entry names")
        claims.append(f"The {facts['body_bytes']} sealed bytes in this file are those the entry stands for.")
    return {
        "proved": claims,
        "not_proved": _not_proved("frame_body" in value, vkey is not None, others),
        "entry": facts,
        "origin": name,
        "index": index,
        "log_size": size,
        "key_from": "the file" if vkey is None else "the caller",
        "signature_checked_by": "the cryptography library" if HAVE_LIBRARY else "its own arithmetic",
        "example": value["example"],
    }


def _not_proved(has_body: bool, is_trusted: bool, others: int) -> list[str]:
    witnesses = f"{others} more signature(s) were not checked" if others else "No witness signed"
    whose = (
        "Whose log this is. The key was taken from the file itself, so the file is only shown to agree with itself: "
        "anyone could have made it. Get the key from the organisation or a witness and give it with --vkey."
    )
    return [
        *([] if is_trusted else [whose]),
        *([] if has_body else ["Anything about the sealed bytes: they are not in this file."]),
        "What the sealed bytes say. They are encrypted, and this program has no key to them.",
        "That the recorder's clock was right. The time of capture is the recorder's own word.",
        "That the recorder was given everything. The log shows what was recorded, not what never reached it.",
        f"That everyone was shown the same log. {witnesses}.",
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(prog="muniment-verify", description="Check an exported entry, offline.")
    parser.add_argument("entry", type=Path, help="the exported entry, a JSON file")
    parser.add_argument("--vkey", help="the log's public key, had from somewhere you trust")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    result: dict[str, Any]
    try:
        result, code = verify(options.entry.read_bytes(), options.vkey), PROVED
    except (Unreadable, OSError) as error:
        result, code = {"error": f"not readable: {error}"}, UNREADABLE
    except NotProved as error:
        result, code = {"error": f"NOT PROVED: {error}"}, NOT_PROVED
    result["verified"] = code == PROVED
    print(json.dumps(result, indent=2, sort_keys=True) if options.json else "\n".join(_page(result)))
    return code


def _page(result: dict[str, Any]) -> list[str]:
    if not result["verified"]:
        return [result["error"]]
    lines = ["EXAMPLE: of an example organisation; nothing real happened."] if result["example"] else []
    lines += ["Proved:", *("  + " + claim for claim in result["proved"])]
    lines += ["Not proved:", *("  - " + gap for gap in result["not_proved"]), "The entry says:"]
    for name, value in result["entry"].items():
        shown = ", ".join(value) if isinstance(value, list) else value
        lines.append(f"    {name.replace('_', ' '):23} {shown}")
    return [*lines, f"(The signature was checked by {result['signature_checked_by']}.)"]


# Ed25519 after RFC 8032, section 5.1. It is used only where the cryptography library is missing. It is slow, and has
# no secret to leak: it only verifies. For a point, X/Z is its x, Y/Z its y and T/Z their product.

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
    """Say whether the signature fits, by the library where there is one. Both ways judge alike."""
    if not is_sound_key(public):
        return False
    if not HAVE_LIBRARY:
        return own_verify(public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def own_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether [S]B - [k]A, written down, is exactly the R of the signature; S must be below L."""
    key, s = decompress(public), int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or s >= L:
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
