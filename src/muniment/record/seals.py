"""Which field of an entry is under which seal: the table that `muniment status --seals` and docs/trust.md print."""

from __future__ import annotations

SEALED, KEPT, OPEN = "sealed", "kept", "open"
OFFICER_AND_KEEPER = "an officer's key together with the keeper's ring"
A_MESSAGE = "whoever can open one of these messages"
KEEPER = "the keeper's ring, so whoever is root on the machine"
CATALOGUE = "the keeper's ring; the catalogue holds a copy in the clear, so whoever holds the disk"
ANYONE = "whoever holds the disk"

SEALED_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("message as written, byte for byte", SEALED, OFFICER_AND_KEEPER),
    ("message as sent, byte for byte", SEALED, OFFICER_AND_KEEPER),
    ("attachment stored once for many messages", SEALED, A_MESSAGE),
    ("subject and all header fields", SEALED, OFFICER_AND_KEEPER),
    ("envelope: sender, recipients, client", SEALED, OFFICER_AND_KEEPER),
    ("why an entry is shielded", SEALED, OFFICER_AND_KEEPER),
    ("words of a query, and reasons given in a room", SEALED, OFFICER_AND_KEEPER),
    ("decision: outcome, rule, clause, reason", KEPT, KEEPER),
    ("next hop's reply", KEPT, KEEPER),
    ("direction, size as written and as sent", KEPT, CATALOGUE),
    ("address tokens (keyed, no addresses)", KEPT, CATALOGUE),
    ("which messages have the same attachment", KEPT, KEEPER),
    ("that an entry is shielded", KEPT, CATALOGUE),
    ("which messages have one Message-ID or one text (keyed, no ids)", KEPT, CATALOGUE),
    ("stream, sequence number, time", OPEN, ANYONE),
    ("retention class and first expiry day", OPEN, ANYONE),
    ("padded length, hash of the sealed bytes", OPEN, ANYONE),
    ("policy file and its versions", OPEN, ANYONE),
    ("officers' public keys and key events", OPEN, ANYONE),
    ("heartbeats, gaps, silences, alarms, reconciliations, tombstones", OPEN, ANYONE),
    ("permits: who asks, about whom, why, how many, who decided and how", OPEN, ANYONE),
    ("looks: who, when, under which permit, at which entries", OPEN, ANYONE),
    ("disclosures: which entries were handed out, and to which key", OPEN, ANYONE),
    ("notices, their delays, private marks, disputes", OPEN, ANYONE),
)
