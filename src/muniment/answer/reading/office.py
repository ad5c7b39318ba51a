"""The text of Office files: archives of XML, or the older binary form. Every size is capped before it is unpacked.

Names of elements decide, not their namespaces: a paragraph is `p` in Word, PowerPoint and OpenDocument alike.
Source: ISO/IEC 29500 (OOXML), ISO/IEC 26300 (OpenDocument), [MS-OFFCRYPTO] 2.3 (encrypted packages).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

from lxml import etree

from muniment.answer.reading.extracted import Problem

MOST_FILES = 2_000
MAX_FILE_BYTES = 64 << 20
MAX_ALL_BYTES = 256 << 20
MAX_RATIO = 200  # a text rarely shrinks to a hundredth; what does is checked against the small sum
_SMALL_BYTES = 4 << 20
MOST_CELLS = 2_000_000

_WORD = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_SLIDE = re.compile(r"ppt/(slides/slide|notesSlides/notesSlide|comments/comment)\d+\.xml")
_BREAKS = {"p", "h", "br", "tab", "tr", "line-break", "cr"}
_TEXTS = {"t", "delText"}
Reader = Callable[[bytes], tuple[str, Problem]]


def files(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and bytes of each file of an archive, None for one that is locked.

    Raises: MemoryError when it unpacks to more than is allowed, by what it says or by what comes out.
    """
    with zipfile.ZipFile(BytesIO(data)) as archive:
        items = [item for item in archive.infolist() if not item.is_dir()]
        total = sum(item.file_size for item in items)
        packed = sum(item.compress_size for item in items) or 1
        if (
            len(items) > MOST_FILES
            or total > MAX_ALL_BYTES
            or (total > _SMALL_BYTES and total > MAX_RATIO * packed)
        ):
            raise MemoryError
        for item in items:
            if item.flag_bits & 1:
                yield item.filename, None
            elif item.file_size > MAX_FILE_BYTES:
                raise MemoryError
            else:
                with archive.open(item) as stream:
                    found = stream.read(item.file_size + 1)
                if len(found) > item.file_size:
                    raise MemoryError
                yield item.filename, found


def kind_of(data: bytes) -> Reader | None:
    """Return what reads an archive when it is an Office file."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return lambda _: ("", Problem.DAMAGED)
    if "word/document.xml" in names:
        return lambda each: _from_xml(each, _WORD)
    if "ppt/presentation.xml" in names:
        return lambda each: _from_xml(each, _SLIDE)
    if any(name.startswith("xl/workbook.") for name in names):
        return sheets
    if "content.xml" in names and "mimetype" in names:
        return _open_document
    return None


def _open_document(data: bytes) -> tuple[str, Problem]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if "META-INF/manifest.xml" in archive.namelist():
            with archive.open("META-INF/manifest.xml") as stream:
                if b"encryption-data" in stream.read(1 << 20):
                    return "", Problem.ENCRYPTED
        with archive.open("mimetype") as stream:
            is_sheet = b"spreadsheet" in stream.read(200)
    return sheets(data) if is_sheet else _from_xml(data, re.compile(r"content\.xml|styles\.xml"))


def _from_xml(data: bytes, wanted: re.Pattern[str]) -> tuple[str, Problem]:
    """Return the text of the wanted members, in the order of their names and numbers."""
    texts = []
    for name, inner in sorted(
        files(data), key=lambda pair: (re.sub(r"\d+", "", pair[0]), len(pair[0]), pair[0])
    ):
        if wanted.fullmatch(name):
            if inner is None:
                return "", Problem.ENCRYPTED
            texts.append(xml_text(inner))
    return "\n".join(texts), Problem.NONE


def xml_text(data: bytes) -> str:
    """Return the text between the elements of a document, entities off, its paragraphs on lines of their own."""
    parser = etree.XMLParser(
        target=_Texts(is_all=b"urn:oasis:names:tc:opendocument" in data[:65_536]),
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
    )  # fmt: skip
    parser.feed(data)
    return str(parser.close())


class _Texts:
    """Takes the events of the parser; of OOXML only the elements that hold text count, of OpenDocument all."""

    def __init__(self, *, is_all: bool) -> None:
        self._is_all, self._is_text = is_all, is_all
        self._pieces: list[str] = []

    def start(self, tag: str, attributes: object) -> None:
        name = tag.rpartition("}")[2]
        if name in _TEXTS:
            self._is_text = True
        elif name in _BREAKS:
            self._pieces.append("\n")
        elif name in ("s", "tab") and self._is_all:
            self._pieces.append(" ")

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        if name in _TEXTS:
            self._is_text = self._is_all
        elif name in _BREAKS:
            self._pieces.append("\n")

    def data(self, text: str) -> None:
        if self._is_text:
            self._pieces.append(text)

    def close(self) -> str:
        return re.sub(r"\n{2,}", "\n", "".join(self._pieces)).strip()


def sheets(data: bytes) -> tuple[str, Problem]:
    """Return the cells of a spreadsheet, a row a line, behind the name of each sheet."""
    from python_calamine import CalamineWorkbook

    if data.startswith(b"PK"):
        for _ in files(data):  # refuses what unpacks to too much before the reader meets it
            pass
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
    except Exception as error:
        return "", Problem.ENCRYPTED if "password" in str(error).lower() else Problem.DAMAGED
    lines, cells = [], 0
    for name in book.sheet_names:
        lines.append(name)
        for row in book.get_sheet_by_name(name).to_python(skip_empty_area=True):
            lines.append("\t".join(_cell(cell) for cell in row if cell != ""))
            cells += len(row)
            if cells > MOST_CELLS:
                return "\n".join(filter(None, lines)), Problem.PARTLY
    return "\n".join(filter(None, lines)), Problem.NONE


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def ole(suffix: str, data: bytes) -> Reader | Problem:
    """Return what reads a file of the older binary form; locked packages have it too."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Problem.ENCRYPTED
    if "Workbook".encode("utf-16-le") in data or suffix == "xls":
        return sheets
    return Problem.UNKNOWN  # old Word and PowerPoint files, Outlook items
