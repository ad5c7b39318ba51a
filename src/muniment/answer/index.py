"""A room's index: terms and a few numbers, in memory only. No text is kept; an entry is opened again to be shown.

One document an entry, known by its place in the room. Attachments come in a second pass: the document is then replaced
by one that has their text too, so that a search over several fields stays one search. Source: DESIGN "Rooms".
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import permutations
from threading import Lock
from typing import Any, NamedTuple

import tantivy

from muniment.answer.query import FIELDS, LONGEST_WORD_BYTES, Part, Sought, fold
from muniment.answer.room_values import Week

WEEK_MS = 7 * 86_400_000
_MONDAY_MS = 4 * 86_400_000  # 1970-01-01 was a Thursday
_PLACE_BITS, _LATEST_MS = 21, (1 << 42) - 1
_PLACES = (1 << _PLACE_BITS) - 1
_WEEKS = {"field": "order", "interval": WEEK_MS << _PLACE_BITS, "offset": _MONDAY_MS << _PLACE_BITS}
_HEAP_BYTES = 50_000_000
_QUERY = tantivy.Query
_MUST, _MUST_NOT, _SHOULD = tantivy.Occur.Must, tantivy.Occur.MustNot, tantivy.Occur.Should


class Indexed(NamedTuple):
    """What is indexed of one entry; `who` are its addresses, whole and in lower case."""

    place: int
    at_ms: int
    subject: str
    from_: str
    to: str
    who: Collection[str]
    body: str = ""
    attachment: str = ""


class Wanted(NamedTuple):
    """What a search asks beside its words; an empty `who` or `places` of None asks for nobody in particular."""

    who: Sequence[str] = ()
    from_ms: int | None = None
    until_ms: int | None = None
    places: Sequence[int] | None = None


class RoomIndex:
    """Terms of every entry indexed so far; one thread adds, any thread searches what was committed last."""

    def __init__(self) -> None:
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.remove_long(LONGEST_WORD_BYTES))
            .build()
        )
        self._schema = _schema()
        self._index = tantivy.Index(self._schema)
        self._index.register_tokenizer("words", self._analyzer)
        self._writer: tantivy.IndexWriter | None = self._index.writer(_HEAP_BYTES, 1)
        self._adding = Lock()
        self._searcher = self._index.searcher()

    def tokens(self, text: str) -> list[str]:
        """Return the words of a text as the index cuts them."""
        return self._analyzer.analyze(fold(text).lower())

    def add(self, item: Indexed) -> None:
        """Add an entry; it is found after the next commit."""
        document = tantivy.Document()
        document.add_unsigned("place", item.place)
        document.add_integer("order", _order(item.at_ms, item.place))
        document.add_text("subject", fold(item.subject).lower())
        document.add_text("from", fold(item.from_).lower())
        document.add_text("to", fold(item.to).lower())
        if item.body:
            document.add_text("body", fold(item.body).lower())
        if item.attachment:
            document.add_text("attachment", fold(item.attachment).lower())
        for address in item.who:
            document.add_text("who", address)
        self._open_writer().add_document(document)

    def remove(self, place: int) -> None:
        """Take an entry out; it is gone after the next commit."""
        # By a query: deleting by the term itself finds no unsigned number in tantivy 0.27.
        self._open_writer().delete_documents_by_query(_QUERY.term_query(self._schema, "place", place))

    def commit(self) -> None:
        """Have searches see what was added."""
        with self._adding:
            self._open_writer().commit()
            self._index.reload()
            self._searcher = self._index.searcher()
        give_back()

    def finish(self) -> None:
        """Commit and give back the writer's memory; another `add` takes it again."""
        self.commit()
        with self._adding:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.wait_merging_threads()
            self._index.reload()
            self._searcher = self._index.searcher()
        give_back()

    def compile(self, parts: Sequence[Part], wanted: Wanted) -> tantivy.Query:
        """Return the index's query for what is sought."""
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for part in parts:
            choices = [self._sought(sought, field) for sought in part.choices for field in sought.fields]
            clauses.append((_MUST_NOT if part.is_unwanted else _MUST, _any_of(choices)))
        if wanted.who:
            clauses.append((_MUST, _QUERY.term_set_query(self._schema, "who", list(wanted.who))))
        if wanted.places is not None:
            clauses.append((_MUST, _QUERY.term_set_query(self._schema, "place", list(wanted.places))))
        if wanted.from_ms is not None or wanted.until_ms is not None:
            first = None if wanted.from_ms is None else _order(wanted.from_ms, 0)
            after = None if wanted.until_ms is None else _order(wanted.until_ms, 0)
            span = (first, after, True, after is None)
            clauses.append(
                (_MUST, _QUERY.range_query(self._schema, "order", tantivy.FieldType.Integer, *span))
            )
        if not any(occur is _MUST for occur, _ in clauses):
            clauses.append((_MUST, _QUERY.all_query()))
        return _QUERY.boolean_query(clauses)

    def newest(self, query: tantivy.Query, first: int, most: int) -> tuple[int, list[int]]:
        """Return how many entries fit, and the places of `most` of them from the `first`, newest first."""
        found: Any = self._searcher.search(query, most, count=True, order_by_field="order", offset=first)
        return int(found.count), [int(order) & _PLACES for order, _ in found.hits]

    def by_week(self, query: tantivy.Query) -> list[Week]:
        """Return how many entries fit in each week that has any."""
        asked = {"weeks": {"histogram": {**_WEEKS, "min_doc_count": 1}}}
        buckets = self._searcher.aggregate(query, asked)["weeks"]["buckets"]
        return [Week(int(bucket["key"]) >> _PLACE_BITS, int(bucket["doc_count"])) for bucket in buckets]

    def size(self) -> int:
        """Return how many entries are found by a search of everything."""
        return self._searcher.num_docs

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        return self._writer

    def _sought(self, sought: Sought, field: str) -> tantivy.Query:
        tokens, schema = sought.tokens, self._schema
        if sought.is_prefix:
            return _QUERY.regex_query(schema, field, f"{tokens[0]}.*")
        if len(tokens) == 1:
            return _QUERY.term_query(schema, field, tokens[0])
        if sought.near:
            orders = set(permutations(tokens))
            return _any_of([_QUERY.phrase_query(schema, field, list(o), sought.near) for o in orders])
        return _QUERY.phrase_query(schema, field, list(tokens))


def give_back() -> None:
    """Have the memory that was freed leave the process, where the C library can: building frees much."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def week_of(at_ms: int) -> int:
    """Return when the week of a moment began: Monday, midnight UTC."""
    return (at_ms - _MONDAY_MS) // WEEK_MS * WEEK_MS + _MONDAY_MS


def _order(at_ms: int, place: int) -> int:
    """Return one number by which entries are ordered: their time, and at the same time their place."""
    return max(-_LATEST_MS, min(at_ms, _LATEST_MS)) << _PLACE_BITS | place


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="words", index_option="position")
    builder.add_text_field("who", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("place", indexed=True)
    builder.add_integer_field("order", fast=True)
    return builder.build()


def _any_of(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    if len(queries) == 1:
        return queries[0]
    return _QUERY.boolean_query([(_SHOULD, query) for query in queries])
