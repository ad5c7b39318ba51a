"""The pages of a release, as the client of the recorder asks for them.

Source: docs/formats/recorder-socket.md, "release".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from muniment.policy.errors import Missing
from muniment.record import wire
from muniment.record.permit_selection import digest_of
from muniment.record.release_item import ReleaseItem, unpack_items

PAGE_ITEMS = 20_000


class _Ask(Protocol):
    def __call__(self, *, arguments: dict[str, Any]) -> wire.Reply: ...


class Releasing:
    """The entries of one permit with their blades, in the order of the ledger, asked for page by page.

    `total` is how many the selection names; `blobs`, the pieces of long messages, grows with each page. Entries whose
    keys were destroyed since do not come.
    """

    def __init__(self, ask: _Ask, request: str, approval: str, signature: bytes, selection: bytes) -> None:
        self._ask, self._selection = ask, selection
        self._named = {
            "request": request,
            "approval": approval,
            "signature": signature,
            "selection_sha256": digest_of(selection),
        }
        self.blobs: dict[int, tuple[int, ...]] = {}
        self.total = 0
        self._first_page = self._page(0, selection)

    def __iter__(self) -> Iterator[ReleaseItem]:
        """Yield every item; each page but the first is asked for when it is needed.

        Raises:
            Refused: the permit was ended meanwhile.
        """
        yield from self._first_page
        for first in range(PAGE_ITEMS, self.total, PAGE_ITEMS):
            yield from self._page(first, None)

    def _page(self, first: int, selection: bytes | None) -> list[ReleaseItem]:
        arguments = {**self._named, "selection": selection, "first": first, "most": PAGE_ITEMS}
        try:
            value = self._ask(arguments=arguments).value
        except Missing:
            if selection is not None:
                raise
            return self._page(first, self._selection)
        self.total = int(value["total"])
        self.blobs.update((index, tuple(pieces)) for index, pieces in value["blobs"])
        return unpack_items(value["items"])
