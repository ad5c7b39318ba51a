"""A checkpoint as people have it: in a mail with words around it, from a scan, typed from paper. Pure.

The dash before a signature may be any dash, lines may end in any way and be indented or quoted; a name, size, root and
signature lines must stand in order. Nothing is believed here: the signature is checked afterwards.
"""

from __future__ import annotations

import re

from muniment.policy.errors import BadInput

_DASH = re.compile("^(?:\u2014|\u2013|\u2212|-{1,3}) ")
_SIZE = re.compile("0|[1-9][0-9]{0,18}")
_ROOT = re.compile("[A-Za-z0-9+/]{43}=")
_SIGNATURE = re.compile(r"\S+ [A-Za-z0-9+/]+={0,2}")


def find_note(data: bytes) -> bytes:
    """Return the first signed checkpoint in a text, in its one form. Raises: BadInput when there is none."""
    text = data.decode("utf-8-sig", "replace")
    lines = [re.sub(r"^[>\s]+|\s+$", "", line) for line in re.split(r"\r\n|\r|\n", text)]
    for at in range(len(lines) - 2):
        name, size, root = lines[at : at + 3]
        if not name or not _SIZE.fullmatch(size) or not _ROOT.fullmatch(root):
            continue
        signatures = []
        for line in lines[at + 3 :]:
            said = _DASH.sub("", line)
            if said != line and _SIGNATURE.fullmatch(said):
                signatures.append(f"\u2014 {said}\n")
            elif line:
                break
        if signatures:
            return f"{name}\n{size}\n{root}\n\n{''.join(signatures)}".encode()
    raise BadInput(
        "no checkpoint stands in this text; expected a name, a number, 44 letters of base64, an empty line and a line "
        "that begins with a dash"
    )
