"""The pages of `account`, one module for each reader: they ask, and show what was answered."""
