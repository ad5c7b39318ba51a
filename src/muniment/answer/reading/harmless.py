"""HTML of a message with everything taken out that runs, fetches, submits or leads away; what is left can be shown.

1. Only elements and attributes on the lists below stay; the text of others stays, that of scripts and styles goes.
2. A picture stays when its bytes are in the message itself: as a data address, or sent along and named by its id.
3. A link keeps its text; where it led is told by its tooltip. Nothing can be followed.
4. Of styles, properties on the list stay, and no value that names an address or hides how it is written.

The page that shows it is served in a sandbox besides, with a policy that lets nothing be fetched.

Source: R-5.3-l; docs/formats/room-socket.md (`read`).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape

import nh3

from muniment.answer.reading.html_text import is_too_deep, text_of_html
from muniment.answer.reading.letter import Attachment

MAX_HTML_CHARACTERS = 2 << 20
MAX_PICTURE_BYTES = 1 << 20
MAX_PICTURES_BYTES = 8 << 20


def _words(text: str) -> set[str]:
    return set(text.split())


_TAGS = _words("""
    a abbr address article b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn
    div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p
    pre q s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul
    var wbr
""")
_DROPPED = _words("""
    script style title head template noscript noembed noframes iframe object applet svg math select textarea
""")
_CELL = {"align", "valign", "width", "height", "bgcolor", "colspan", "rowspan", "nowrap"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "style"},
    "a": {"href"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "div": {"align"},
    "font": {"color", "face", "size"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "type"},
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "valign", "bgcolor"},
}
_STYLES = _words("""
    background-color border border-bottom border-collapse border-color border-left border-right border-spacing
    border-style border-top border-width color direction font-family font-size font-style font-variant
    font-weight letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right
    margin-top max-width padding padding-bottom padding-left padding-right padding-top text-align
    text-decoration text-indent text-transform vertical-align white-space width word-break word-spacing
    word-wrap
""")
_SUSPECT = re.compile(r"url|image|import|express|script|var\s*\(|attr\s*\(|[\\@{}<>]|/\*", re.IGNORECASE)
_LINK = re.compile(r'(<a(?: [a-z]+="[^"]*")*) href="')
_MOST_AMPERSANDS = 20_000  # each costs the cleaner more than the one before
_PICTURE = re.compile(r"data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_PICTURE_TYPES = {"image/png", "image/gif", "image/jpeg", "image/jpg", "image/webp", "image/bmp"}


def sanitise(html: str, attachments: Iterable[Attachment] = ()) -> str:
    """Return a piece of HTML that nothing can come of; `attachments` are those of the same message.

    Of a longer text than 2 Mi characters its beginning; of one nested beyond reason its text. Never raises.
    """
    if is_too_deep(html) or html.count("&") > _MOST_AMPERSANDS:
        return f"<pre>{escape(text_of_html(html))}</pre>"
    pictures = _Pictures({each.content_id: each for each in attachments if each.content_id})
    cleaned = nh3.clean(
        html[:MAX_HTML_CHARACTERS].replace("\0", ""),
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=pictures.filter,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel", "ftp", "cid", "data"},
        filter_style_properties=_STYLES,
    )
    # In what the cleaner writes, a quotation mark stands around values only; so this finds tags and nothing else.
    return _LINK.sub(r'\1 title="', cleaned)


class _Pictures:
    """Decides on each attribute; adds up what the pictures weigh."""

    def __init__(self, sent_along: Mapping[str, Attachment]) -> None:
        self._sent_along = sent_along
        self._left_bytes = MAX_PICTURES_BYTES

    def filter(self, tag: str, name: str, value: str) -> str | None:
        """Return the value to keep, None to drop the attribute."""
        if tag == "img" and name == "src":
            return self._source(value.strip())
        if tag == "a" and name == "href":
            return None if value.lower().startswith(("cid:", "data:")) else value[:2_000]
        return None if name == "style" and _SUSPECT.search(value) else value[:4_000]

    def _source(self, value: str) -> str | None:
        if value.lower().startswith("cid:"):
            value = self._embedded(value[4:])
        if len(value) > min(self._left_bytes, 2 * MAX_PICTURE_BYTES) or not _PICTURE.fullmatch(value):
            return None
        self._left_bytes -= len(value)
        return value

    def _embedded(self, content_id: str) -> str:
        found = self._sent_along.get(content_id)
        if found is None or found.size > MAX_PICTURE_BYTES or found.type not in _PICTURE_TYPES:
            return ""
        return f"data:{found.type};base64,{b64encode(found.data).decode()}"
