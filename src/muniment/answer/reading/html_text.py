"""The text of HTML as a reader would see it: scripts and styles left out, blocks on lines of their own.

The parser is a browser's (lexbor), so nothing is hidden by markup that only a browser understands. What a style hides
is text all the same: it is found and shown.
"""

from __future__ import annotations

import html as entities
import re

from selectolax.lexbor import LexborHTMLParser

MAX_HTML_CHARACTERS = 8 << 20
_BLOCK = re.compile(
    r"<(?=(?:br|/?(?:p|div|tr|li|ul|ol|table|blockquote|pre|h[1-6]|hr|title|section|article|header|footer))\b)",
    re.IGNORECASE,
)
_CELL = re.compile(r"<(?=/?t[dh]\b)", re.IGNORECASE)
_UNSEEN = ["script", "style", "noscript", "template"]
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ANY_TAG = re.compile(r"<[^<>]*>")
_FLAT = frozenset(
    (
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dd",
        "dt",
        "option",
        "br",
        "img",
        "hr",
        "input",
        "meta",
        "link",
        "col",
        "area",
        "base",
    )
)
_FEW_TAGS = 1_000
MOST_DEEP = 1_000
_MANY_LINES = re.compile(r"\n\s*\n+")


def text_of_html(html: str) -> str:
    """Return the text of a piece of HTML, at most that of its first 8 Mi characters; "" when there is none."""
    if not html.strip():
        return ""
    if is_too_deep(html):
        return _between_tags(html[:MAX_HTML_CHARACTERS])
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


def is_too_deep(html: str) -> bool:
    """Tell whether elements are nested so deep that parsers, whose time grows with the square of it, take long."""
    if html.count("<") <= _FEW_TAGS:
        return False
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _FLAT:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            if depth > MOST_DEEP:
                return True
    return False


def _between_tags(html: str) -> str:
    """Return what stands between tags, however they are nested; that of scripts and styles too."""
    text = entities.unescape(_ANY_TAG.sub("\n", html).replace("\0", " "))
    return _MANY_LINES.sub("\n", text).strip()
