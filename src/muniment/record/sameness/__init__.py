"""Whether two messages of one Message-ID have the same text: a digest where they come in, keyed names in the record.

Source: docs/decisions/0016-message-ids.md.
"""
