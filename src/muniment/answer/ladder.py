"""The ladder of a room: counts, envelopes, subjects, content; climbed in order, each rung with its reason.

Source: DESIGN "Rooms"; R-5.0-a (as little as will do), R-5.3-e (a permit for envelopes has no content), R-5.3-l.
"""

from __future__ import annotations

from muniment.answer.room_values import RUNGS, Rung
from muniment.policy.errors import BadInput, Refused

CLAUSE = "R-5.3-l"
MAX_REASON_CHARACTERS = 2000


class Ladder:
    """How far up one room is; it is never climbed down."""

    def __init__(self, depth: str) -> None:
        self._last = RUNGS.index("subject" if depth == "envelope" else "content")
        self._at = 0

    @property
    def rung(self) -> Rung:
        """The highest rung reached."""
        return RUNGS[self._at]

    def reaches(self, rung: Rung) -> bool:
        """Tell whether the room has climbed to `rung`."""
        return self._at >= RUNGS.index(rung)

    def require(self, rung: Rung) -> None:
        """Return when `rung` is reached. Raises: Refused when it is not."""
        if not self.reaches(rung):
            raise Refused(
                f"this needs the rung {rung!r}, the room stands on {self.rung!r}; climb there first, with a reason",
                clause=CLAUSE,
            )

    def check(self, rung: str, reason: str) -> int:
        """Return the place of a rung that may be climbed now.

        Raises: BadInput for no such rung or no reason. Refused when one would be left out or the permit has none.
        """
        if rung not in RUNGS:
            raise BadInput(f"there is no rung {rung[:20]!r}; there are {', '.join(RUNGS)}")
        require_reason(reason)
        at = RUNGS.index(rung)
        if at > self._last:
            raise Refused(
                "this permit opens envelopes, not content; ask for another permit if content is needed",
                clause="R-5.3-e",
            )
        if at > self._at + 1:
            raise Refused(
                f"rungs are climbed in order: after {self.rung!r} comes {RUNGS[self._at + 1]!r}",
                clause=CLAUSE,
            )
        return at

    def climb(self, at: int) -> None:
        """Stand on the rung that `check` returned, once it is recorded."""
        self._at = max(self._at, at)


def require_reason(reason: str) -> None:
    """Return when a reason was given. Raises: BadInput when it is empty or longer than anybody reads."""
    if not reason.strip():
        raise BadInput("say why you look: a reason is recorded with each step, and is missing")
    if len(reason) > MAX_REASON_CHARACTERS:
        raise BadInput(
            f"the reason has {len(reason):,} characters, expected {MAX_REASON_CHARACTERS:,} at most"
        )
