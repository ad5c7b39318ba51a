"""The ledger: a C2SP tiled transparency log over the record's leaves. It knows hashes and sizes, no content.

- `merkle` hashes, and makes and checks proofs;
- `note`, `cosignature` and `vkey` sign text and check who signed it;
- `checkpoint` says "so many leaves, this root";
- `tiles` lays the tree out as files, `publisher` moves it from one checkpoint to the next;
- `proof` is the receipt a stranger can check.

Source: docs/formats/ledger.md.
"""
