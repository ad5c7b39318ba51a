"""A trust policy: which logs are known, which witnesses, and how many of them must have cosigned.

Names of witnesses and groups are opaque; what is no UTF-8 in them is kept as surrogate escapes.
Source: C2SP tlog-policy; R-2.1-b.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from muniment.policy.errors import BadInput, Missing
from muniment.record.ledger.cosignature import Ed25519CosignerKey, Mldsa44CosignerKey
from muniment.record.ledger.note import Ed25519Key, VerifierKey
from muniment.record.ledger.vkey import parse_vkey

MAX_POLICY_BYTES = 256 << 10
NO_WITNESS = "none"
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile("[1-9][0-9]{0,3}")
CosignerKey = Ed25519CosignerKey | Mldsa44CosignerKey


@dataclass(frozen=True)
class Log:
    """A log the policy knows; `url` is empty when the line names none."""

    key: VerifierKey
    url: str = ""

    def line(self) -> str:
        """Return its line in a policy file."""
        return " ".join(filter(None, ("log", str(self.key), self.url))) + "\n"


@dataclass(frozen=True)
class Witness:
    """A witness under the name the policy gives it; `url` is where checkpoints are submitted, or empty."""

    name: str
    key: CosignerKey
    url: str = ""

    def line(self) -> str:
        """Return its line in a policy file."""
        return " ".join(filter(None, ("witness", self.name, str(self.key), self.url))) + "\n"


@dataclass(frozen=True)
class Group:
    """Witnesses or groups of which at least `threshold` must have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]

    def line(self) -> str:
        """Return its line in a policy file."""
        return f"group {self.name} {self.threshold} {' '.join(self.members)}\n"


@dataclass(frozen=True)
class TrustPolicy:
    """Logs, witnesses, groups and the name of the witness or group whose word is enough, or `none`."""

    quorum: str
    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()

    def is_met(self, names: Collection[str]) -> bool:
        """Tell whether the cosignatures of the witnesses of these names are enough."""
        met = {NO_WITNESS, *(witness.name for witness in self.witnesses if witness.name in names)}
        for group in self.groups:  # a group names only what stands above it
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def witness(self, name: str) -> Witness:
        """Return the witness of a name. Raises: Missing when there is none."""
        for witness in self.witnesses:
            if witness.name == name:
                return witness
        raise Missing(f"no witness {name!r} in the witness policy.")

    def to_text(self) -> str:
        """Return the policy as a file holds it."""
        return "".join(
            [
                *(log.line() for log in self.logs),
                *(witness.line() for witness in self.witnesses),
                *(group.line() for group in self.groups),
                f"quorum {self.quorum}\n",
            ]
        )


@dataclass
class _Reading:
    """What has been read of a policy so far."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    publics: set[bytes] = field(default_factory=set)
    quorum: str = ""

    def log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise BadInput("a log is written: log KEY [URL].")
        key = parse_vkey(words[0])
        if not isinstance(key, Ed25519Key | Mldsa44CosignerKey):
            raise BadInput(f"the key of {key.name} is that of a witness; a log's is expected.")
        self._require_new_key(key, b"log")
        self.logs.append(Log(key, *words[1:]))

    def witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise BadInput("a witness is written: witness NAME KEY [URL].")
        key = parse_vkey(words[1])
        if not isinstance(key, CosignerKey):
            raise BadInput(f"the key of {key.name} is that of a log; a witness's begins its base64 with B.")
        self._require_new_key(key, b"witness")
        self._take_name(words[0])
        self.witnesses.append(Witness(words[0], key, *words[2:]))

    def group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise BadInput("a group is written: group NAME all|any|NUMBER MEMBER...")
        name, how, *members = words
        for member in members:
            if member not in self.names:
                raise BadInput(f"{member!r} is named in a group and not defined above it.")
            if member in self.members:
                raise BadInput(f"{member!r} is a member more than once; it can count in one place only.")
            self.members.add(member)
        threshold = {"all": len(members), "any": 1}.get(how, int(how) if _COUNT.fullmatch(how) else 0)
        if not 1 <= threshold <= len(members):
            raise BadInput(f"{how!r} of {len(members)} members cannot be; write all, any or a number.")
        self._take_name(name)
        self.groups.append(Group(name, threshold, tuple(members)))

    def end(self, words: list[str]) -> None:
        if self.quorum or len(words) != 1:
            raise BadInput("a policy has exactly one line: quorum NAME.")
        if words[0] != NO_WITNESS and words[0] not in self.names:
            raise BadInput(f"the quorum {words[0]!r} is not defined above it.")
        self.quorum = words[0]

    def _take_name(self, name: str) -> None:
        if name == NO_WITNESS or name in self.names:
            raise BadInput(f"the name {name!r} is taken.")
        self.names.add(name)

    def _require_new_key(self, key: Ed25519Key | CosignerKey, use: bytes) -> None:
        public = use + key.public
        if public in self.publics:
            raise BadInput(f"the key of {key.name} stands there twice.")
        self.publics.add(public)


def parse_policy(data: bytes) -> TrustPolicy:
    """Return the policy in a file of the C2SP form.

    Raises: BadInput, and nothing else, naming the line.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise BadInput(f"a witness policy of {len(data)} bytes; expected {MAX_POLICY_BYTES} at most.")
    text, reading = data.decode("utf-8", "surrogateescape"), _Reading()
    read = {"log": reading.log, "witness": reading.witness, "group": reading.group, "quorum": reading.end}
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.strip(" \t")
        if _FORBIDDEN.search(line):
            raise BadInput(f"line {number} of the witness policy holds a control character.")
        if not words or words.startswith("#"):
            continue
        keyword, *rest = re.split("[ \t]+", words)
        if keyword not in read:
            raise BadInput(f"line {number} of the witness policy: expected log, witness, group or quorum.")
        try:
            read[keyword](rest)
        except BadInput as error:
            raise BadInput(f"line {number} of the witness policy: {error}") from None
    if not reading.quorum:
        raise BadInput("a witness policy ends with one line: quorum NAME.")
    return TrustPolicy(reading.quorum, tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups))
