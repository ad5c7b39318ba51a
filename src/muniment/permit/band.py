"""How many entries a permit would open, told to whoever asks: a band, so that asking is not itself a look. Pure.

Source: R-5.0-a; DESIGN "Permit".
"""

from __future__ import annotations

_FLOORS = (1, 10, 50, 200, 1000, 5000)


def band(count: int) -> str:
    """Return the band a number of entries lies in, for instance `50-199`; nought is told as it is."""
    if count <= 0:
        return "0"
    if count >= _FLOORS[-1]:
        return f"{_FLOORS[-1]:,} or more"
    above = next(floor for floor in _FLOORS if floor > count)
    below = max(floor for floor in _FLOORS if floor <= count)
    return f"{below:,}-{above - 1:,}"
