"""How the record forgets."""
