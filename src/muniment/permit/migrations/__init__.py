"""The steps by which the tables of `permit` came to be what they are."""
