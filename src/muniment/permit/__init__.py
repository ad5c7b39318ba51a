"""The written permission to look. Not built yet: nothing in the product can read sealed content without an officer's key."""
