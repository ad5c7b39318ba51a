"""The life of the keys: the ring is turned, officers change.

ring_statement  which ring the record knows, and that no older one is put back   docs/formats/ring.md
"""
