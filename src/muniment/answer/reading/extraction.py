"""How each kind of file gives its text. Run only in a worker: these parsers meet whatever was sent.

The kind is told by the first bytes, then by the name, then by the type that was claimed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from muniment.answer.reading import office
from muniment.answer.reading.charset import decoded, guessed
from muniment.answer.reading.extracted import MAX_TEXT_CHARACTERS, Extracted, Problem
from muniment.answer.reading.html_text import text_of_html

MOST_PAGES = 5_000
MOST_ROWS = 1_000_000
MOST_NESTED = 8

_TEXT_NAMES = {
    "txt", "csv", "tsv", "log", "md", "json", "xml", "ics", "vcf", "ini", "cfg", "toml", "yaml", "yml", "tex", "srt",
    "py", "sql",
}  # fmt: skip
_PICTURES = {"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "heic", "svg", "ico", "emf", "wmf"}
_SOUNDS = {"mp3", "wav", "ogg", "m4a", "flac", "amr", "mp4", "mov", "avi", "mkv", "webm"}
_ENCRYPTED_TYPES = {"application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
_SHEETS = {"xls", "xlsb", "xlsx", "ods"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def extract(name: str, type: str, data: bytes, depth: int = 0) -> Extracted:
    """Return the text of a file; raises what its reader raises."""
    if not data.strip():
        return Extracted()
    type = type.lower().partition(";")[0].strip()
    suffix = PurePath(name.lower()).suffix.lstrip(".")
    if type.startswith("message/") or suffix == "eml":
        return message(data, depth)
    found = _reader(suffix, type, data)
    if isinstance(found, Problem):
        return Extracted("", found)
    text, problem = found(data)
    return capped(text, problem)


def capped(text: str, problem: Problem = Problem.NONE) -> Extracted:
    """Return a text of at most MAX_TEXT_CHARACTERS, which says when it was longer."""
    text = text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_TEXT_CHARACTERS:
        return Extracted(text[:MAX_TEXT_CHARACTERS], problem or Problem.PARTLY)
    return Extracted(text, problem)


Reader = Callable[[bytes], tuple[str, Problem]]


def _reader(suffix: str, type: str, data: bytes) -> Reader | Problem:
    """Return what reads this file, or why nothing does."""
    if b"%PDF-" in data[:1024]:
        return pdf
    if data.startswith(b"PK\x03\x04"):
        return office.kind_of(data) or _zip
    if data.startswith(_OLE):
        return office.ole(suffix, data)
    if data.startswith(b"{\\rtf"):
        return rtf
    if type in _ENCRYPTED_TYPES or data.startswith((b"-----BEGIN PGP MESSAGE", b"age-encryption.org/")):
        return Problem.ENCRYPTED
    if type.startswith("image/") or suffix in _PICTURES:
        return Problem.PICTURE
    if type.startswith(("audio/", "video/")) or suffix in _SOUNDS:
        return Problem.SOUND
    if type in ("text/html", "application/xhtml+xml") or suffix in ("html", "htm", "xhtml"):
        return html
    if type == "text/calendar" or type.startswith("text/") or suffix in _TEXT_NAMES or _looks_like_text(data):
        return plain
    return Problem.UNKNOWN


def _looks_like_text(data: bytes) -> bool:
    head = data[:4096]
    return b"\0" not in head and sum(byte < 9 or 13 < byte < 32 for byte in head) * 100 <= len(head)


def plain(data: bytes) -> tuple[str, Problem]:
    """Return a text file's text."""
    return guessed(data), Problem.NONE


def html(data: bytes) -> tuple[str, Problem]:
    """Return the text of a page of HTML."""
    return text_of_html(guessed(data)), Problem.NONE


def rtf(data: bytes) -> tuple[str, Problem]:
    """Return the text of a rich text file."""
    from striprtf.striprtf import rtf_to_text

    text = rtf_to_text(data.decode("cp1252", "replace"), errors="replace")  # type: ignore[no-untyped-call]
    return str(text), Problem.NONE


def pdf(data: bytes) -> tuple[str, Problem]:
    """Return the text of a PDF file; one without any text has pictures for pages."""
    import pypdfium2
    import pypdfium2.raw as raw

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        is_locked = raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD
        return "", Problem.ENCRYPTED if is_locked else Problem.DAMAGED
    pages, length, damaged = [], 0, False
    for number in range(min(len(document), MOST_PAGES)):
        try:
            text = document[number].get_textpage().get_text_bounded()
        except pypdfium2.PdfiumError:
            damaged = True
            continue
        pages.append(text)
        length += len(text)
        if length > MAX_TEXT_CHARACTERS:
            break
    text = "\n".join(pages)
    if not text.strip():
        return "", Problem.DAMAGED if damaged else Problem.PICTURE
    is_partial = damaged or len(pages) < len(document) or any(not page.strip() for page in pages)
    return text, Problem.PARTLY if is_partial else Problem.NONE


def _zip(data: bytes) -> tuple[str, Problem]:
    """Return the texts of the files in an archive, one level deep, under their names."""
    texts, problems = [], set[Problem]()
    for name, inner in office.files(data):
        if inner is None:
            return "", Problem.ENCRYPTED
        if inner.startswith(b"PK\x03\x04") and office.kind_of(inner) is None:
            problems.add(Problem.UNKNOWN)  # an archive within an archive is not gone into
            continue
        found = extract(name, "", inner, MOST_NESTED)
        texts.append(f"{name}\n{found.text}")
        problems |= {found.problem} - {Problem.NONE}
    text = "\n".join(texts)
    return text, Problem.PARTLY if problems else Problem.NONE


def message(data: bytes, depth: int = 0) -> Extracted:
    """Return the text of a message within a message, its attachments' texts behind it, eight levels deep."""
    from muniment.answer.reading.patient import patient_leaves

    found = patient_leaves(data)
    lines = [
        f"{name}: {value}"
        for name, value in found.headers
        if name.lower() in ("from", "to", "cc", "date", "subject")
    ]
    problem = Problem.NONE
    for leaf in found.leaves:
        if leaf.type in ("text/plain", "text/html") and leaf.disposition != "attachment":
            charset = leaf.content_type.lower().partition("charset=")[2].split(";")[0].strip(' "')
            text = decoded(leaf.data, charset) if charset else guessed(leaf.data)
            lines.append(text_of_html(text) if leaf.type == "text/html" else text)
        elif depth < MOST_NESTED:
            inner = extract(leaf.name, leaf.type, leaf.data, depth + 1)
            lines += [leaf.name, inner.text]
            problem = Problem.PARTLY if inner.problem else problem
        else:
            problem = Problem.PARTLY
    return capped("\n".join(filter(None, lines)), problem)
