"""Surveys and cases as one source of figures: each knows tallies of its own (K3, K4, K6, K7)."""

from __future__ import annotations

from collections.abc import Sequence

from calls.measures import ALL_CALLS, Dimension, Slice
from calls.periods import Period
from calls.ports import OtherSources, Tallies


class JoinedSources:
    """``calls.ports.OtherSources`` made of several that count different things."""

    def __init__(self, *sources: OtherSources) -> None:
        self._sources = sources

    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        """See ``calls.ports.OtherSources``."""
        told = [await source.tallies(periods, slice, by) for source in self._sources]
        return [_joined(cells) for cells in zip(*told, strict=True)]


def _joined(cells: Sequence[dict[str | None, Tallies]]) -> dict[str | None, Tallies]:
    found: dict[str | None, Tallies] = {}
    for cell in cells:
        for value, tallies in cell.items():
            found[value] = found.get(value, Tallies()) | tallies
    return found
