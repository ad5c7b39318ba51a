"""Founding a home: keys, policy file, record and console are made in a half-made folder and moved into place at once.

1. refuse a folder that holds anything, and name what an earlier, killed init left behind;
2. make `.NAME.half-made` beside it, readable by its owner only;
3. draw every key; write the policy file and the officers' key files (sealed under their six words);
4. create the record under the machine secret; prepare the console; record an example's invented letters;
5. hand over the sheets: the only copies of six words, recovery key and machine secret;
6. flush, and rename the folder to its name. Until then there is no home, and any failure removes the folder.

Source: R-5.2-f; DESIGN "Officers".
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muniment.cli import draft, sheets
from muniment.cli.example_letters import record_letters
from muniment.cli.sheets import Sheet
from muniment.policy import policyfile
from muniment.policy.errors import Conflict, Unavailable
from muniment.record import keyfile, machine, words, wraps
from muniment.record.disk import Disk
from muniment.record.home import Home
from muniment.record.opening import create_record

KEY_FOLDER, SHEET_FOLDER = "officer-keys", "sheets"
_OFFICES = {
    "managing_director": "Managing Director",
    "office_manager": "Office Manager",
    "alternate": "alternate officer",
}


@dataclass(frozen=True)
class Founded:
    """What a new home is known by; nothing in it is secret."""

    home: Path
    organisation: str
    example: bool
    vkey: str
    key_ids: Mapping[str, bytes]


@dataclass(frozen=True)
class _Drawn:
    """The secrets of a home while it is made."""

    officers: Sequence[tuple[draft.NamedOfficer, X25519PrivateKey, str]]
    recovery: X25519PrivateKey
    machine_secret: bytes

    @property
    def public_keys(self) -> dict[str, bytes]:
        """Return the public key of each officer's id and of `recovery`."""
        private = {officer.id: key for officer, key, _ in self.officers} | {draft.RECOVERY: self.recovery}
        return {owner: key.public_key().public_bytes_raw() for owner, key in private.items()}

    @property
    def signing_keys(self) -> dict[str, bytes]:
        """Return the public signing key of each officer's id."""
        return {officer.id: keyfile.signing_public_of(key) for officer, key, _ in self.officers}


def found_home(
    home: Path,
    answers: Mapping[str, str],
    today: date,
    hand_over: Callable[[Path, Sequence[Sheet]], None],
    *,
    example: bool,
) -> Founded:
    """Make a home and return what it is known by.

    `hand_over` gets the folder as it is being made, and the sheets; it returns when somebody has them.
    Raises:
        Conflict: the folder holds something, or an init that was stopped left its folder behind.
        BadInput: the answers make no valid policy file. Unavailable: the disk does not take it.
    """
    require_vacant(home)
    require_fresh_anchor(home, answers["anchor_dir"])
    with _private_files(), _half_made(home, answers["anchor_dir"]) as folder:
        drawn = _draw(answers)
        public_keys, signing_keys = _in_base64(drawn.public_keys), _in_base64(drawn.signing_keys)
        text = draft.compose(answers, public_keys, signing_keys, today, example=example).encode()
        policyfile.parse(text)
        _write(folder / "muniment.toml", text)
        _write_key_files(folder, drawn, example=example)
        vkey = create_record(Home(folder), drawn.machine_secret)
        if example:
            _write(machine.example_file(Home(folder)), machine.example_text(drawn.machine_secret))
        for name in (Home(folder).run, Home(folder).snapshot_dir):
            name.mkdir(exist_ok=True)
        prepare_console(Home(folder), example=example)
        if example:
            record_letters(Home(folder), drawn.machine_secret, today)
        head = sheets.Letterhead(answers["name"], today, len(drawn.officers) + 1, example)
        hand_over(folder, _sheets(head, drawn, vkey))
    key_ids = {owner: wraps.key_id(key) for owner, key in drawn.public_keys.items()}
    return Founded(home, answers["name"], example, vkey, key_ids)


def require_vacant(home: Path) -> None:
    """Return when a home can be made at `home`.

    Raises:
        Conflict: something is there, or is left of an init that did not finish.
    """
    half_made = half_made_folder(home)
    if half_made.exists():
        raise Conflict(
            f"{half_made} is left of an init that did not finish. No home came of it and its keys were never used: "
            f"when no other init runs, remove it (rm -r '{half_made}') and start again"
        )
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        what = "holds a home already" if (home / "muniment.toml").exists() else "is not empty"
        raise Conflict(f"{home} {what}; name a folder that is empty or not there yet")
    if home.is_mount():
        raise Conflict(f"{home} is a disk of its own, and a home is moved into place; name a folder on it")


def require_fresh_anchor(home: Path, anchor_dir: str) -> None:
    """Return when the folder for copies of checkpoints lies outside the home and holds none of another record.

    Raises:
        Conflict: it does not.
    """
    anchor = Path(anchor_dir) / "checkpoint"
    if anchor_dir and anchor.exists():
        raise Conflict(
            f"{anchor} is the proof of another record; name another folder, or remove it if that record is gone"
        )
    if anchor_dir and Path(anchor_dir).resolve().is_relative_to(home):
        raise Conflict(
            f"{anchor_dir} lies within {home}, and would be put back with it; name a folder elsewhere"
        )


def half_made_folder(home: Path) -> Path:
    """Return where a home lies until it is whole."""
    return home.with_name(f".{home.name}.half-made")


def prepare_console(home: Home, *, example: bool) -> None:
    """Make the console's database and whatever else the pages need."""
    from muniment import site

    site.prepare(home, example_people=example)


@contextmanager
def _half_made(home: Path, anchor_dir: str) -> Iterator[Path]:
    """Give a folder to make the home in; move it into place when the block ends, remove it when it fails."""
    folder = half_made_folder(home)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Unavailable(
            f"could not make {folder}: {error.strerror}. A home is made beside its place and then moved there: "
            f"make {home.parent} writable, or name a folder below {home}"
        ) from None
    try:
        yield folder
        _flush(folder)
        Disk().move(folder, home)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if anchor_dir:
            with suppress(OSError):
                (Path(anchor_dir) / "checkpoint").unlink()
        raise


@contextmanager
def _private_files() -> Iterator[None]:
    """Make every file and folder its owner's alone while the block runs."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _draw(answers: Mapping[str, str]) -> _Drawn:
    named = draft.named_officers(answers)
    officers = [(officer, X25519PrivateKey.generate(), words.draw_passphrase()) for officer in named]
    return _Drawn(officers, X25519PrivateKey.generate(), machine.new_secret())


def _write_key_files(folder: Path, drawn: _Drawn, *, example: bool) -> None:
    for officer, private_key, passphrase in drawn.officers:
        data = keyfile.write_key(officer.id, officer.name, private_key, passphrase, example=example)
        _write(folder / KEY_FOLDER / f"{officer.id}.json", data)


def _sheets(head: sheets.Letterhead, drawn: _Drawn, vkey: str) -> list[Sheet]:
    public_keys = drawn.public_keys
    made = []
    for number, (officer, _, passphrase) in enumerate(drawn.officers, start=1):
        key_id = wraps.key_id(public_keys[officer.id])
        office = _OFFICES[officer.role]
        told = sheets.OfficerKey(officer.id, officer.name, office, officer.address, key_id, passphrase)
        made.append(sheets.officer_sheet(head, number, told))
    safe = sheets.SafeKeys(
        recovery_words=machine.to_words(drawn.recovery.private_bytes_raw()),
        recovery_key_id=wraps.key_id(public_keys[draft.RECOVERY]),
        machine_words=machine.to_words(drawn.machine_secret),
        vkey=vkey,
    )
    return [*made, sheets.safe_sheet(head, safe)]


def _in_base64(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {owner: base64.b64encode(key).decode() for owner, key in keys.items()}


def _write(path: Path, data: bytes) -> None:
    Disk().write_durable(path, data, mode=0o600)


def _flush(folder: Path) -> None:
    """Return when every name in the folder is on the disk; the files themselves were flushed as they were written."""
    for parent, _, _ in os.walk(folder):
        Disk().sync_dir(Path(parent))
