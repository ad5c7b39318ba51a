"""The steps by which the tables of `people` came to be what they are."""
