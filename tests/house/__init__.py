"""The house's own rules: its sizes, its tree, its words, its links, and that its documents are true."""
