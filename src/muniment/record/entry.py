"""An Entry is one thing to be recorded, whatever its channel; a Receipt says that it is.

Numbers of the enumerations are stored in leaves for ever: they are added to, never changed or reused.
Source: docs/formats/leaf.md.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a leaf stands for."""

    RECORD = 1  # a communication
    BLOB = 2  # a piece of a communication above 16 MiB, or an attachment
    EXPIRY = 3  # a tombstone
    HOLD = 4
    LOOK = 5
    APPROVAL = 6
    EPOCH = 7  # a key event: an epoch's shares, an officer set, shares sealed again
    POLICY = 8  # a version of the policy file
    ANCHOR = 9
    HEARTBEAT = 10
    DISCLOSURE = 11
    OUTCOME = 12  # what the next hop said of an earlier record
    GAP = 13  # something could not be recorded, or the clock or the disk misbehaved
    OBSERVATION = 14  # the same bytes came again; refers to the entry that holds them
    FACT = 15  # an open fact about people or the policy, or what the recorder states of the record


class Channel(IntEnum):
    """Which system carried it."""

    SYSTEM = 0
    SMTP = 1
    WEB = 2
    CALL = 3
    PRINT = 4
    LOGIN = 5
    CHAT = 6
    VOICEMAIL = 7
    ADMISSION = 8


class Stream(IntEnum):
    """A source with gapless sequence numbers of its own."""

    KEYS = 1
    HEALTH = 2
    RETENTION = 3
    POLICY = 4
    PEOPLE = 5
    PERMITS = 6
    LOOKS = 7
    DISCLOSURES = 8
    NOTICES = 9
    MAIL_GATEWAY = 16
    MAIL_JOURNAL = 17
    MAIL_IMPORT = 18
    MAIL_REFUSED = 19
    MAIL_OUTCOME = 20
    MAIL_ATTACHMENT = 21  # the recorder's own: what several messages have

    @property
    def word(self) -> str:
        """Return its name as people and documents write it, for instance `mail-gateway`."""
        return self.name.lower().replace("_", "-")

    def number(self, sequence: int) -> str:
        """Return how people quote one of its entries, for instance `mail-gateway/7`."""
        return f"{self.word}/{sequence}"


class Capture(IntEnum):
    """How the bytes were come by; exact bytes are promised for all but `milter`."""

    WIRE = 1
    JOURNAL = 2
    MILTER = 3
    IMPORT = 4
    HAND = 5


class Direction(IntEnum):
    """Which way a communication went, seen from the organisation."""

    NONE = 0
    INBOUND = 1
    OUTBOUND = 2
    INTERNAL = 3


class Retention(IntEnum):
    """The retention class, fixed at capture; its period is in the policy file under the same name."""

    JOURNAL = 1  # open entries about the record itself: keys, heartbeats, policy, tombstones
    MAIL = 2
    REFUSED = 3


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to record.

    `content` is the exact bytes as they came (sealed); `sent` the exact bytes as they left, if they differ (sealed);
    `meta` a MessagePack map of envelope and header facts (sealed, opened one rung before content);
    `facts` a MessagePack map, for instance a Decision (kept); `plain` a JSON object anyone at the machine may
    read (open). `addresses` become keyed tokens in the catalogue. `blobs` are ledger indexes of the blob entries
    that hold the content of a record above 16 MiB, in order; then `content` is empty. `shielded` names why an
    ordinary search must count and not open it ("" when it need not); the catalogue keeps one mark, the name is sealed.
    `about` is the ledger index of the earlier entry an outcome or observation refers to. `dated_ms` is when an imported
    communication says it was sent (0: it does not say, or it was captured as it passed). `message_id` and `texts` (the
    digests of the face as written and, if it differs, as sent) tell a Message-ID that comes again with other text; the
    recorder keeps keyed names of them.
    """

    stream: Stream
    kind: Kind = Kind.RECORD
    channel: Channel = Channel.SYSTEM
    retention: Retention = Retention.JOURNAL
    capture: Capture = Capture.HAND
    direction: Direction = Direction.NONE
    addresses: tuple[str, ...] = ()
    content: bytes = b""
    sent: bytes | None = None
    meta: bytes = b""
    facts: bytes = b""
    plain: bytes = b""
    shielded: str = ""
    blobs: tuple[int, ...] = ()
    about: int | None = None
    dated_ms: int = 0
    message_id: bytes = b""
    texts: tuple[bytes, ...] = ()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof to the caller that an entry is on disk: flushed, and in the tree at `index`."""

    index: int
    stream: Stream
    sequence: int
    captured_ms: int
    duplicate_of: int | None = None

    @property
    def number(self) -> str:
        """Return the number people quote, for instance `mail-gateway/42`."""
        return self.stream.number(self.sequence)
