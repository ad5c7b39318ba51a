"""The written permission to look. Not built yet: nothing in the product reads sealed content without officers' keys."""
