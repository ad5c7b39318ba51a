"""Content is packed before it is sealed: the sent face as edits to the written one, base64 undone, compressed.

1. The stream is the written face and then the bytes that were new in the sent one.
2. Runs of canonical base64 in it are replaced by the bytes they stand for, moved to its end.
3. The bytes of attachments that are entries of their own are left out; the plan says where they are.
4. It is compressed with a dictionary shipped with the product, or stored if that makes it no smaller.

Unpacking knows every length before it decodes anything, so that a few bytes cannot become many.

Source: docs/formats/packing.md; RFC 8878 (zstandard).
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import zstandard

from muniment.policy.errors import BadInput, Tampered
from muniment.record import base64runs, dictionary
from muniment.record.attachments.reference import KEY_BYTES, Fetch, Reference
from muniment.record.base64runs import Run
from muniment.record.edits import Edit, apply_edits, find_edits, fit

VERSION = 1
MAX_FACE_BYTES = (1 << 32) - 1
WIRE_LEVEL = 3
IMPORT_LEVEL = 12

_HEAD = struct.Struct(">BBBI")  # version, dictionary, flags, length of the written face
_PLAN_LENGTH = struct.Struct(">I")
_PLANNED = 1  # a plan follows the head
_STORED = 2  # the stream is not compressed
_REFERRING = 4  # the bytes of some runs are in other entries


class _Plan(NamedTuple):
    """How the faces come from the stream; `edits` is None when nothing was sent that differs."""

    edits: list[Edit] | None
    runs: list[Run]
    attachments: list[Reference]


class Prepared(NamedTuple):
    """Faces before they are compressed: `rest` is the stream without the bytes of its runs, which are `raws`."""

    content_bytes: int
    rest: bytes
    raws: list[bytes]
    runs: list[Run]
    edits: list[Edit] | None


_encode = msgspec.msgpack.Encoder().encode
_decode_plan = msgspec.msgpack.Decoder(tuple[list[Edit] | None, list[Run]]).decode
_decode_referring = msgspec.msgpack.Decoder(tuple[list[Edit] | None, list[Run], list[Reference]]).decode


class _Codecs(threading.local):
    """Compressors by level and dictionary, decompressors by dictionary; each is for one thread at a time."""

    def __init__(self) -> None:
        self.compressors: dict[tuple[int, int], zstandard.ZstdCompressor] = {}
        self.decompressors: dict[int, zstandard.ZstdDecompressor] = {}

    def compressor(self, level: int, number: int) -> zstandard.ZstdCompressor:
        found = self.compressors.get((level, number))
        if found is None:
            found = self.compressors[level, number] = zstandard.ZstdCompressor(
                dict_data=dictionary.dictionary(number),
                compression_params=zstandard.ZstdCompressionParameters(
                    compression_level=level,
                    format=zstandard.FORMAT_ZSTD1_MAGICLESS,
                    write_content_size=0,
                    write_dict_id=0,
                    write_checksum=0,
                ),
            )
        return found

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        found = self.decompressors.get(number)
        if found is None:
            found = self.decompressors[number] = zstandard.ZstdDecompressor(
                dict_data=dictionary.dictionary(number), format=zstandard.FORMAT_ZSTD1_MAGICLESS
            )
        return found


_codecs = _Codecs()


def pack(content: bytes, sent: bytes | None, *, level: int = WIRE_LEVEL) -> bytes:
    """Return both faces in one compressed piece that `unpack` gives back exactly; `level` is zstandard's, 1 to 22.

    Raises: BadInput when a face has 4 GiB or more.
    """
    return compress(prepare(content, sent), (), level=level)


def prepare(content: bytes, sent: bytes | None) -> Prepared:
    """Return both faces with base64 undone. Raises: as `pack`."""
    stream, edits = content, None
    if sent is not None:
        edits, inserts = find_edits(content, sent)
        stream = b"".join((content, *inserts))
    if len(content) > MAX_FACE_BYTES or len(stream) > MAX_FACE_BYTES:
        raise BadInput(f"a face of a record has at most {MAX_FACE_BYTES:,} bytes; record it as a chain")
    # Searched from the end: for these words that takes half the time.
    if stream.rfind(b"ase64") >= 0 or stream.rfind(b"ASE64") >= 0:
        return Prepared(len(content), *base64runs.take_out(stream), edits)
    return Prepared(len(content), stream, [], [], edits)


def pack_map(data: bytes, *, level: int = WIRE_LEVEL) -> bytes:
    """Return metadata or facts, which are MessagePack, in one compressed piece that `unpack_map` gives back exactly."""
    return compress(Prepared(len(data), data, [], [], None), (), level=level, number=dictionary.MAPS)


def unpack_map(packed: bytes, limit_bytes: int) -> bytes:
    """Return what `pack_map` was given; a map that was never packed comes back as it is. Raises: as `unpack`."""
    return unpack(packed, limit_bytes)[0] if packed[:1] == bytes((VERSION,)) else packed


def compress(
    prepared: Prepared, attachments: Sequence[Reference], *, level: int, number: int | None = None
) -> bytes:
    """Return what `pack` returns, without the bytes of the runs that `attachments` name, in order.

    `number` is the dictionary's, else that for content.
    """
    _, rest, raws, runs, edits = prepared
    outside = {reference.run for reference in attachments}
    stream = b"".join([rest, *(raw for run, raw in enumerate(raws) if run not in outside)]) if raws else rest
    flags, plan = 0, b""
    if runs or edits is not None:
        plan = _encode((edits, runs, attachments) if attachments else (edits, runs))
        plan = _PLAN_LENGTH.pack(len(plan)) + plan
        flags = _PLANNED | (_REFERRING if attachments else 0)
    number = dictionary.CURRENT if number is None else number
    body = _codecs.compressor(level, number).compress(stream)
    if len(body) >= len(stream):
        body = stream
        flags |= _STORED
    return _HEAD.pack(VERSION, number, flags, prepared.content_bytes) + plan + body


def unpack(packed: bytes, limit_bytes: int, fetch: Fetch | None = None) -> tuple[bytes, bytes | None]:
    """Return (content, sent or None); decodes nothing when both faces together exceed `limit_bytes`.

    `fetch` gives the bytes of an attachment that is an entry of its own; without it there may be none.
    Raises: Tampered when the bytes are not what `pack` makes, or say they are larger than the limit.
    """
    if len(packed) < _HEAD.size:
        raise Tampered("packed content ends within its head")
    version, number, flags, length = _HEAD.unpack_from(packed)
    is_known = version == VERSION and dictionary.known(number)
    if not is_known or flags & ~(_PLANNED | _STORED | _REFERRING) or flags & 5 == _REFERRING:
        raise Tampered(
            f"packed content of version {version}, dictionary {number}, flags {flags} is not known here"
        )
    at = _HEAD.size
    plan = _Plan(None, [], [])
    if flags & _PLANNED:
        plan, at = _read_plan(packed, is_referring=bool(flags & _REFERRING))
    undone_bytes = _checked_length(plan, length, limit_bytes)
    stream_bytes = undone_bytes - _bytes_outside(plan)
    stream = packed[at:] if flags & _STORED else _decompress(packed[at:], number, stream_bytes)
    if len(stream) != stream_bytes:
        raise Tampered(f"packed content has {len(stream):,} bytes where its head says {stream_bytes:,}")
    if plan.attachments:
        stream = _with_attachments(stream, plan, fetch)
    if plan.runs:
        stream = base64runs.redo(stream, plan.runs)
    if plan.edits is None:
        return stream, None
    return stream[:length], apply_edits(stream[:length], plan.edits, stream[length:])


def _read_plan(packed: bytes, *, is_referring: bool) -> tuple[_Plan, int]:
    """Return the plan and where the body begins."""
    start = _HEAD.size + _PLAN_LENGTH.size
    if len(packed) < start:
        raise Tampered("packed content ends within its plan")
    end = start + _PLAN_LENGTH.unpack_from(packed, _HEAD.size)[0]
    try:
        if is_referring:
            return _Plan(*_decode_referring(packed[start:end])), end
        return _Plan(*_decode_plan(packed[start:end]), []), end
    except msgspec.DecodeError:
        raise Tampered("packed content has a plan that cannot be read") from None


def _checked_length(plan: _Plan, content_bytes: int, limit_bytes: int) -> int:
    """Return the length of the stream with all base64 undone, after holding what it becomes to the limit."""
    edits = plan.edits or []
    new_bytes = sum(insert for _, _, insert in edits)
    sent_bytes = new_bytes + sum(copy for copy, _, _ in edits)
    undone = base64runs.undone_length(content_bytes + new_bytes, plan.runs)
    if undone is None or not fit(edits, content_bytes):
        raise Tampered("packed content has a plan that contradicts itself")
    if content_bytes + sent_bytes > limit_bytes:
        raise Tampered(f"packed content says it has {content_bytes + sent_bytes:,} bytes, above the limit")
    return undone


def _bytes_outside(plan: _Plan) -> int:
    """Return how many bytes of the runs are in other entries, after holding the references to their form."""
    last, total = -1, 0
    for run, entry, epoch, key in plan.attachments:
        if not last < run < len(plan.runs) or min(entry, epoch) < 0 or len(key) != KEY_BYTES:
            raise Tampered("packed content names an attachment that it cannot have")
        last = run
        total += plan.runs[run][1]
    return total


def _with_attachments(stream: bytes, plan: _Plan, fetch: Fetch | None) -> bytes:
    """Return the stream with the bytes of all its runs at its end."""
    named = {reference.run: reference for reference in plan.attachments}
    at = len(stream) - sum(raw for run, (_, raw, _, _) in enumerate(plan.runs) if run not in named)
    parts = [stream[:at]]
    for run, (_, raw_bytes, _, _) in enumerate(plan.runs):
        if run not in named:
            parts.append(stream[at : at + raw_bytes])
            at += raw_bytes
            continue
        if fetch is None:
            raise Tampered("packed content names an attachment where there can be none")
        parts.append(fetch(named[run]))
        if len(parts[-1]) != raw_bytes:
            raise Tampered(f"entry {named[run].entry} is not the attachment that a message says it is")
    return b"".join(parts)


def _decompress(body: bytes, number: int, length: int) -> bytes:
    try:
        return _codecs.decompressor(number).decompress(body, max_output_size=length, allow_extra_data=False)
    except zstandard.ZstdError:
        raise Tampered("packed content cannot be decompressed to the length its head says") from None
