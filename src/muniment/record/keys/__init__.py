"""The life of the keys: the ring is turned, officers change, the recovery key is drilled and split.

ring_statement  which ring the record knows, and that no older one is put back   docs/formats/ring.md
"""
