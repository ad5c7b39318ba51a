"""Content is packed before it is sealed: the sent face as edits to the written one, base64 undone, compressed.

1. The stream is the written face and then the bytes that were new in the sent one.
2. Runs of canonical base64 in it are replaced by the bytes they stand for, moved to its end.
3. It is compressed with a dictionary shipped with the product, or stored if that makes it no smaller.

Unpacking knows every length before it decodes anything, so that a few bytes cannot become many.

Source: docs/formats/packing.md; RFC 8878 (zstandard).
"""

from __future__ import annotations

import struct
import threading

import msgspec
import zstandard

from muniment.policy.errors import BadInput, Tampered
from muniment.record import base64runs, dictionary
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


class _Plan(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """How the faces come from the stream; `edits` is None when nothing was sent that differs."""

    edits: list[Edit] | None
    runs: list[Run]


_encode = msgspec.msgpack.Encoder().encode
_decode_plan = msgspec.msgpack.Decoder(_Plan).decode


class _Codecs(threading.local):
    """Compressors by level and decompressors by dictionary; each is for one thread at a time."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressors: dict[int, zstandard.ZstdDecompressor] = {}

    def compressor(self, level: int) -> zstandard.ZstdCompressor:
        found = self.compressors.get(level)
        if found is None:
            found = self.compressors[level] = zstandard.ZstdCompressor(
                dict_data=dictionary.dictionary(dictionary.CURRENT),
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
    stream, edits = content, None
    if sent is not None:
        edits, inserts = find_edits(content, sent)
        stream = b"".join((content, *inserts))
    if len(content) > MAX_FACE_BYTES or len(stream) > MAX_FACE_BYTES:
        raise BadInput(f"a face of a record has at most {MAX_FACE_BYTES:,} bytes; record it as a chain")
    runs: list[Run] = []
    # Searched from the end: for these words that takes half the time.
    if stream.rfind(b"ase64") >= 0 or stream.rfind(b"ASE64") >= 0:
        stream, runs = base64runs.undo(stream)
    flags, plan = 0, b""
    if runs or edits is not None:
        plan = _encode(_Plan(edits, runs))
        plan = _PLAN_LENGTH.pack(len(plan)) + plan
        flags = _PLANNED
    body = _codecs.compressor(level).compress(stream)
    if len(body) >= len(stream):
        body = stream
        flags |= _STORED
    return _HEAD.pack(VERSION, dictionary.CURRENT, flags, len(content)) + plan + body


def unpack(packed: bytes, limit_bytes: int) -> tuple[bytes, bytes | None]:
    """Return (content, sent or None); decodes nothing when both faces together exceed `limit_bytes`.

    Raises: Tampered when the bytes are not what `pack` makes, or say they are larger than the limit.
    """
    if len(packed) < _HEAD.size:
        raise Tampered("packed content ends within its head")
    version, number, flags, length = _HEAD.unpack_from(packed)
    if version != VERSION or not dictionary.known(number) or flags & ~(_PLANNED | _STORED):
        raise Tampered(
            f"packed content of version {version}, dictionary {number}, flags {flags} is not known here"
        )
    at = _HEAD.size
    plan = _Plan(None, [])
    if flags & _PLANNED:
        plan, at = _read_plan(packed)
    stream_bytes = _checked_length(plan, length, limit_bytes)
    stream = packed[at:] if flags & _STORED else _decompress(packed[at:], number, stream_bytes)
    if len(stream) != stream_bytes:
        raise Tampered(f"packed content has {len(stream):,} bytes where its head says {stream_bytes:,}")
    if plan.runs:
        stream = base64runs.redo(stream, plan.runs)
    if plan.edits is None:
        return stream, None
    return stream[:length], apply_edits(stream[:length], plan.edits, stream[length:])


def _read_plan(packed: bytes) -> tuple[_Plan, int]:
    """Return the plan and where the body begins."""
    start = _HEAD.size + _PLAN_LENGTH.size
    if len(packed) < start:
        raise Tampered("packed content ends within its plan")
    end = start + _PLAN_LENGTH.unpack_from(packed, _HEAD.size)[0]
    try:
        return _decode_plan(packed[start:end]), end
    except msgspec.DecodeError:
        raise Tampered("packed content has a plan that cannot be read") from None


def _checked_length(plan: _Plan, content_bytes: int, limit_bytes: int) -> int:
    """Return the length the body must decode to, after holding what it becomes to the limit."""
    edits = plan.edits or []
    new_bytes = sum(insert for _, _, insert in edits)
    sent_bytes = new_bytes + sum(copy for copy, _, _ in edits)
    undone = base64runs.undone_length(content_bytes + new_bytes, plan.runs)
    if undone is None or not fit(edits, content_bytes):
        raise Tampered("packed content has a plan that contradicts itself")
    if content_bytes + sent_bytes > limit_bytes:
        raise Tampered(f"packed content says it has {content_bytes + sent_bytes:,} bytes, above the limit")
    return undone


def _decompress(body: bytes, number: int, length: int) -> bytes:
    try:
        return _codecs.decompressor(number).decompress(body, max_output_size=length, allow_extra_data=False)
    except zstandard.ZstdError:
        raise Tampered("packed content cannot be decompressed to the length its head says") from None
