"""Making catalogue and tiles again: which flushes make the ledger, and the rows of their entries."""
