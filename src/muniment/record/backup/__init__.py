"""A backup cannot read more than the original, and forgets with it. Source: docs/formats/backup.md."""
