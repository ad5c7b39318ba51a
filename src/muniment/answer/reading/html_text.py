"""The text of HTML as a reader would see it: scripts and styles left out, blocks on lines of their own.

The parser is a browser's (lexbor), so nothing is hidden by markup that only a browser understands. What a style hides
is text all the same: it is found and shown.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

MAX_HTML_CHARACTERS = 8 << 20
_BLOCK = re.compile(
    r"<(?=(?:br|/?(?:p|div|tr|li|ul|ol|table|blockquote|pre|h[1-6]|hr|title|section|article|header|footer))\b)",
    re.IGNORECASE,
)
_CELL = re.compile(r"<(?=/?t[dh]\b)", re.IGNORECASE)
_UNSEEN = ["script", "style", "noscript", "template"]
_MANY_LINES = re.compile(r"\n\s*\n+")


def text_of_html(html: str) -> str:
    """Return the text of a piece of HTML, at most that of its first 8 Mi characters; "" when there is none."""
    if not html.strip():
        return ""
    source = html[:MAX_HTML_CHARACTERS].replace("\r", " ").replace("\n", " ").replace("\0", " ")
    source = _CELL.sub(" <", _BLOCK.sub("\n<", source))
    try:
        tree = LexborHTMLParser(source)
        tree.strip_tags(_UNSEEN)
        text = tree.root.text(deep=True, separator="") if tree.root else ""
    except (RuntimeError, ValueError):
        return ""
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return _MANY_LINES.sub("\n", lines).strip()
