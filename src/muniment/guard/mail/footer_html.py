"""What a reader sees of an HTML text, and where in it a footer will be seen.

This is not a browser: it knows comments, elements that are never shown, and the plain ways of hiding an element by its
own style or by a class. What it takes for hidden does not count as a footer that is already there, so an error of
judgement adds a footer too many and never leaves one out.

Source: WHATWG HTML section 13.2 (tokenisation); R-2.2-b.
"""

from __future__ import annotations

import html
import re

import msgspec

from muniment.guard.mail.footer_splice import Unstampable

TOKENS_CAP = 500_000

_NEVER_SHOWN = (
    "audio|canvas|datalist|iframe|noembed|noframes|object|script|select|style|"
    "svg|template|textarea|title|video"
)
_INLINE = "a|abbr|b|big|cite|code|em|font|i|ins|label|mark|o:p|s|small|span|strong|sub|sup|tt|u|wbr"
_RAW = frozenset(_NEVER_SHOWN.split("|"))
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_WHOLE_PAGE = frozenset({"html", "body"})
_SELF_CLOSING = frozenset({"dd", "dt", "li", "option", "p", "td", "th", "tr"})

# Possessive repeats throughout, and a tag that never ends runs to the end of the text: the time is linear.
_TAG_REST = r"[^\"'>]*+(?:\"[^\"]*+\"[^\"'>]*+|'[^']*+'[^\"'>]*+)*+>"
_SPECIAL = rf"(?:/(?:body|html)|{_NEVER_SHOWN})(?=[\s/>])"
# What the search for hidden things may run over: text, end tags, and start tags or start tags without attributes.
_RUN = re.compile(rf"(?:[^<]++|<(?!{_SPECIAL})/?[a-z]{_TAG_REST}|<(?![a-z!?/]))*+", re.IGNORECASE)
_BARE_RUN = re.compile(
    rf"(?:[^<]++|<(?!{_SPECIAL})(?:/[a-z]{_TAG_REST}|[a-z][^\s/>\"']*+\s*+>)|<(?![a-z!?/]))*+", re.IGNORECASE
)
_TOKEN = re.compile(
    r"<(?:!--|(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*+)"
    r"(?P<attributes>(?:[^\"'>]++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?P<end>>|\Z)"
    r"|[!?/][^>]*+(?:>|\Z))"
)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE})(?=[\s/>]){_TAG_REST}", re.IGNORECASE)
_ANY_TAG = re.compile(rf"<(?:/?[a-z]{_TAG_REST}|[!?/][^>]*+>)", re.IGNORECASE)
_EDGE = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)(?=[\s/>])")
_COMMENT_END = re.compile(r"--!?>")
_STYLE_SHEET = re.compile(r"<style[^>]*+>(.*?)(?:</style|\Z)", re.DOTALL | re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE = re.compile(r"([^{}]*+)\{([^{}]*+)\}?")
_SELECTOR_NAME = re.compile(r"[.#]([\w-]+)")
_ATTRIBUTE = re.compile(r"([^\s=\"'/]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s]++)))?")
_WORTH_A_LOOK = re.compile(r"style|hidden|class|id|color", re.IGNORECASE)

_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:0*(?:\.[0-2]\d*)?(?![\d.])|text-indent:-\d{3}"
    r"|(?<!-)(?:left|top):-\d{3}|clip:rect\(|font-size:0*[0-3](?:\.\d+)?(?:px|pt)?(?:[;!]|\Z)"
    r"|font-size:0*(?:\.\d+)?(?:em|rem|%|[;!]|\Z)|(?<![\w-])(?:max-)?(?:height|width):0(?:px|pt)?(?:[;!]|\Z)"
)
_WHITE = (
    r"(?:white|transparent|\#fff(?:fff)?(?![\da-f])|\#f[c-f]f[c-f]f[c-f](?![\da-f])|rgba?\(25\d,25\d,25\d)"
)
_WHITE_LETTERS = re.compile(rf"(?<![\w-])color:{_WHITE}")
_BACKGROUND = re.compile(r"(?<![\w-])background(?:-color)?:")
_WHITE_GROUND = re.compile(rf"(?<![\w-])background(?:-color)?:(?:none|{_WHITE})")
# Whatever `_hides` or the attribute `hidden` would find in a text as it stands, each behind a word that is quick to
# look for; without a hit no tag needs a look. Attributes with character references could spell anything.
_SUSPECTS = tuple(
    (word, re.compile(re.escape(word) + rest))
    for word, rest in {
        "display": r"\s*+:\s*+none",
        "visibility": r"\s*+:",
        "mso-hide": "",
        "opacity": r"\s*+:",
        "text-indent": r"\s*+:",
        "left": r"\s*+:\s*+-",
        "top": r"\s*+:\s*+-",
        "clip": r"\s*+:",
        "font-size": r"\s*+:\s*+(?:[0-3](?!\d)|0|\.)",
        "height": r"\s*+:\s*+0",
        "width": r"\s*+:\s*+0",
        "hidden": r"(?<=[\s\"'/]hidden)",
        "color": r"(?<![\w-]color)\s*+[:=][\s\"']*+(?:white|transparent|\#f|rgb)",
        "/*": "",
        "=": r"\s*+[\"']?(?:[^\"'>&=]|&(?!#))*+&#",
    }.items()
)


class Page(msgspec.Struct, frozen=True):
    """An HTML text as seen: `shown` are the stretches, tags included, that no hidden element covers.

    `end` is where a footer goes, and `closing` what must be written there first, because the text breaks off inside a
    comment, a tag or an element that is not shown.
    """

    shown: tuple[str, ...]
    end: int
    closing: str

    @property
    def text(self) -> str:
        """The text a reader sees, with spaces where blocks begin and end."""
        return html.unescape(_ANY_TAG.sub(" ", _INLINE_TAG.sub("", " ".join(self.shown))))


def page(text: str) -> Page:
    """Return what is seen of an HTML text, in time linear in the text.

    Raises: Unstampable when it has more than `TOKENS_CAP` tags that need a look.
    """
    lowered = text.lower()
    suspect = any(word in lowered and pattern.search(lowered) for word, pattern in _SUSPECTS)
    run = _BARE_RUN if suspect else _RUN
    hidden_names = _hidden_names(text) if suspect else frozenset()
    shown: list[str] = []
    ends = {"body": -1, "html": -1}
    start = at = tokens = 0
    closing = ""
    while not closing:
        passed = run.match(text, at)
        token = _TOKEN.match(text, passed.end() if passed else at)
        if token is None:
            break
        tokens += 1
        if tokens > TOKENS_CAP:
            raise Unstampable(
                "The HTML text of the message has more tags than this gateway reads",
                "Send the long part as an attachment.",
            )
        at = token.end()
        name = (token["name"] or "").lower()
        if token["slash"] and name in ends and token["end"]:
            ends[name] = token.start()
        hidden_to, closing = _hidden(text, token, name, hidden_names)
        if hidden_to > at or closing:
            shown.append(text[start : token.start()])
            start = at = max(hidden_to, at)
    shown.append(text[start:])
    end = ends["body"] if ends["body"] >= 0 else ends["html"]
    return Page(tuple(shown), end, "") if end >= 0 else Page(tuple(shown), len(text), closing)


def _hidden(text: str, token: re.Match[str], name: str, hidden_names: frozenset[str]) -> tuple[int, str]:
    """Return where what the token hides ends, 0 for nothing, and what would close it when it never does."""
    whole = token.group()
    if whole == "<!--":
        ended = _COMMENT_END.search(text, token.end() - 2)
        return (ended.end(), "") if ended else (len(text), "-->")
    if name and not token["end"]:
        opens = not token["slash"] and name not in _VOID
        return len(text), _tag_end(whole) + (f"</{name}>" if opens else "")
    if not whole.endswith(">"):
        return len(text), ">"
    if (
        name
        and not token["slash"]
        and name not in _VOID
        and _is_hidden(name, token["attributes"], hidden_names)
    ):
        return _skip(text, token.end(), name)
    return 0, ""


def _skip(text: str, at: int, name: str) -> tuple[int, str]:
    """Return where a hidden element ends and, when it never does, the closing tags it lacks."""
    depth = 1
    for found in _EDGE.finditer(text, at):
        if found[2].lower() != name:
            continue
        if found[1]:
            depth -= 1
        elif name not in _SELF_CLOSING and name not in _RAW:
            depth += 1
        if depth == 0:
            return text.find(">", found.end()) + 1 or len(text), ""
    return len(text), f"</{name}>" * min(depth, 1_000)


def _tag_end(tag: str) -> str:
    """Return what closes a tag in which the text breaks off."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", tag)
    quote = next((mark for mark in bare if mark in "\"'"), "")
    return quote + ">"


def _is_hidden(name: str, attributes: str, hidden_names: frozenset[str]) -> bool:
    if name in _RAW:
        return True
    if not attributes or name in _WHOLE_PAGE or not _WORTH_A_LOOK.search(attributes):
        return False
    style = ""
    for found in _ATTRIBUTE.finditer(attributes):
        key, value = found[1].lower(), html.unescape(found[2] or found[3] or found[4] or "")
        if key == "hidden":
            return True
        if key == "style":
            style += ";" + value
        elif key == "color":
            style += ";color:" + value
        elif key in ("class", "id") and not hidden_names.isdisjoint(value.split()):
            return True
    return bool(style) and _hides(style)


def _hides(style: str) -> bool:
    """Whether declarations of a style hide the element: not shown, too small to see, or white on no other ground."""
    bare = "".join(_CSS_COMMENT.sub("", style).split()).lower()
    if _HIDING.search(bare):
        return True
    if not _WHITE_LETTERS.search(bare):
        return False
    return not _BACKGROUND.search(bare) or bool(_WHITE_GROUND.search(bare))


def _hidden_names(text: str) -> frozenset[str]:
    """Return the classes and ids that the text's own style sheets hide somewhere."""
    names: set[str] = set()
    for sheet in _STYLE_SHEET.finditer(text):
        for rule in _RULE.finditer(_CSS_COMMENT.sub("", sheet.group(1))):
            if _hides(rule.group(2)):
                names.update(_SELECTOR_NAME.findall(rule.group(1)))
    return frozenset(names)
