"""The unalterable record: entries are sealed, flushed, proved, and forgotten when their time is up.

entry        what is recorded, and the receipt                    docs/formats/leaf.md
leaf         the fixed-size line of the public ledger
keytree      hash trees: one key a record, constrained, punctured  docs/formats/keytree.md
seal         the three seals of a record                           docs/formats/seals.md
units, commitment   redactions that prove themselves               docs/formats/redaction.md
packing      content before sealing                                docs/formats/packing.md
attachments  what several messages have, stored once                docs/formats/segment.md
frame, segment      what lies on disk                              docs/formats/segment.md
ledger       C2SP tiles, checkpoints, proofs                       docs/formats/ledger.md
keeper       the keeper's ring: what can still be opened           docs/formats/ring.md
officers, wraps, keyfile, machine   who can open, and with what
catalogue    who, when, how big: an index that can be made again
epoch        the keys of one class for at most an hour
record       append: seal, flush, prove
server, client      the recorder's socket
verify, rebuild, retention, opening, exporting
"""
