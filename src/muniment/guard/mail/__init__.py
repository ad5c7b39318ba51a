"""Mail as it passes: the SMTP edge, directions, the statutory footer."""
