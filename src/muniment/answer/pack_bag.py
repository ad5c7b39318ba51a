"""A BagIt bag in a zip file: payload below `data/`, every file hashed twice, the lists of hashes at the end.

Source: RFC 8493; docs/formats/pack.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256, sha512

from muniment.answer.pack_zip import StoredZip

_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


class Bag:
    """Writes a bag below the folder `name` of the zip file."""

    def __init__(self, name: str, write: Callable[[bytes], object]) -> None:
        self._name = name
        self._zip = StoredZip(write)
        self._payload: list[tuple[str, str, str]] = []
        self._tags: list[tuple[str, str, str]] = []
        self._bytes = 0

    def add(self, path: str, data: bytes) -> None:
        """Write one file of the payload, `path` below `data/`."""
        self._bytes += len(data)
        self._put(self._payload, f"data/{path}", data)

    def add_tag(self, path: str, data: bytes) -> None:
        """Write one file beside the payload."""
        self._put(self._tags, path, data)

    def finish(self, info: dict[str, str], made_ms: int) -> str:
        """Write what describes the bag, and the manifests; return the SHA-256 of the payload's manifest, in hex."""
        made = datetime.fromtimestamp(made_ms / 1000, UTC).strftime("%Y-%m-%d")
        told = {**info, "Bagging-Date": made, "Payload-Oxum": f"{self._bytes}.{len(self._payload)}"}
        lines = (f"{label}: {' '.join(value.split())}\n" for label, value in told.items() if value.strip())
        self.add_tag("bag-info.txt", "".join(lines).encode())
        self.add_tag("bagit.txt", _DECLARATION)
        manifest = _manifest(self._payload, 1)
        self.add_tag("manifest-sha256.txt", manifest)
        self.add_tag("manifest-sha512.txt", _manifest(self._payload, 2))
        tags = list(self._tags)
        self.add_tag("tagmanifest-sha256.txt", _manifest(tags, 1))
        self.add_tag("tagmanifest-sha512.txt", _manifest(tags, 2))
        self._zip.finish()
        return sha256(manifest).hexdigest()

    def _put(self, listed: list[tuple[str, str, str]], path: str, data: bytes) -> None:
        listed.append((path, sha256(data).hexdigest(), sha512(data).hexdigest()))
        self._zip.add(f"{self._name}/{path}", data)


def _manifest(files: list[tuple[str, str, str]], column: int) -> bytes:
    return "".join(f"{each[column]}  {each[0]}\n" for each in sorted(files)).encode()
