"""How the record forgets: expiry on the day, erasure by order, holds, shortening, quarantine, and the proof of each.

Everything here rests on open entries of the stream `retention`, which the recorder alone writes. `book` reads them,
`desk` takes questions and orders, `forgetting` is the one place where keys are destroyed.
Source: R-5.1-a; docs/formats/hold.md, docs/formats/tombstone.md.
"""
