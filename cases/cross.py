"""A table of two facets, with names and totals (C7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calls.case_figures import Facet

Naming = Callable[[Facet, str], str]


@dataclass(frozen=True, slots=True)
class CrossTable:
    """Rows by columns."""

    columns: tuple[tuple[str, str], ...]
    """Value and name."""
    rows: tuple[tuple[str, str, tuple[int, ...], int], ...]
    """Value, name, numbers, total; the largest first."""


def crossed(counts: Mapping[tuple[str, str], int], name: Naming, rows: Facet, columns: Facet) -> CrossTable:
    """The table of what occurs."""
    heads = sorted({column for _, column in counts}, key=lambda each: -_total(counts, 1, each))
    lines = sorted({row for row, _ in counts}, key=lambda each: (-_total(counts, 0, each), each))
    return CrossTable(
        tuple((each, name(columns, each)) for each in heads),
        tuple(
            (each, name(rows, each), tuple(counts.get((each, head), 0) for head in heads), _total(counts, 0, each))
            for each in lines
        ),
    )


def _total(counts: Mapping[tuple[str, str], int], side: int, value: str) -> int:
    return sum(number for key, number in counts.items() if key[side] == value)
