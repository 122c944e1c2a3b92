"""Which bytes of a file a request asks for (RFC 9110, 14.2), one range at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_BYTES = 1 << 20
"""Of one answer; the player asks on."""

_ONE = re.compile(r"bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes from ``first`` up to and including ``last``."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def of(self, size: int) -> str:
        """The value of Content-Range."""
        return f"bytes {self.first}-{self.last}/{size}"


def piece_of(header: str, size: int, most: int = MOST_BYTES) -> Piece | None:
    """The bytes to send of a file of ``size`` bytes, ``most`` at a time; ``None``: that cannot be satisfied (416).

    Several ranges at once, other units and what is no range at all cannot be satisfied here either: the whole file
    in their place would be a download.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, last = max(0, size - int(found[2])), size - 1
        if found[2].strip("0") == "":
            return None
    else:
        first = int(found[1])
        last = min(int(found[2]), size - 1) if found[2] else size - 1
        if found[2] and int(found[2]) < first:
            return None
    return Piece(first, min(last, first + most - 1)) if first <= last else None
