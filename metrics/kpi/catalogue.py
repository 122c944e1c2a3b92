"""The one catalogue of indicators: pages, gauges, reports, the API and ``docs/kpi.md`` read it.

A definition never changes under its version; what changes is a new version, and old periods can be shown under
either (Q5): AHT was of the talk alone before its version 2. The version of K2 and K2r fixes the limit: 1 is 15 s
(GB/T 33358-2016), 2 is 12 s (State Grid), and 1000 plus the limit stands for a limit of the operator's own. The
operator's settings decide which is current.
"""

from __future__ import annotations

from calls.errors import FigureError
from calls.measures import LIMITS_S
from metrics.kpi.adjusted import ADJUSTED
from metrics.kpi.model import Kpi
from metrics.kpi.official import OFFICIAL, under_limit, version_of

KPIS: tuple[Kpi, ...] = (*OFFICIAL, *ADJUSTED)
"""Every indicator in every version that stands in a rule book or is custom, K1 first."""

_LIMITED = ("K2", "K2r")
_DEFAULT_LIMIT_S = 15.0


class Catalogue:
    """The catalogue as it reads for one operator: A1's limit decides the current versions of K2 and K2r."""

    def __init__(self, limit_s: float = _DEFAULT_LIMIT_S) -> None:
        self._limits_s = {*LIMITS_S, limit_s}
        self._limited = version_of(limit_s)
        self._known = {(kpi.id, kpi.version): kpi for kpi in KPIS}
        self.ids: tuple[str, ...] = tuple(dict.fromkeys(kpi.id for kpi in KPIS))
        """Every indicator's id, K1 first."""

    def kpi(self, kpi_id: str, version: int | None = None) -> Kpi:
        """One definition; without a version, the current one.

        Raises FigureError if there is no such indicator or version, or if the books keep no counts for its
        limit.
        """
        if kpi_id not in self.ids:
            raise FigureError(f"there is no indicator {kpi_id[:20]!r}; there are {', '.join(self.ids)}")
        wanted = self._current_version(kpi_id) if version is None else version
        found = self._known.get((kpi_id, wanted))
        if found is None and kpi_id in _LIMITED:
            found = under_limit(kpi_id, wanted)
        if found is None or (kpi_id in _LIMITED and found.limit_s not in self._limits_s):
            raise FigureError(f"indicator {kpi_id} has no version {wanted}")
        return found

    def current(self) -> tuple[Kpi, ...]:
        """The current version of every indicator."""
        return tuple(self.kpi(kpi_id) for kpi_id in self.ids)

    def versions(self, kpi_id: str) -> tuple[Kpi, ...]:
        """Every version of one indicator that a period can be shown under, the current one among them."""
        known = {version for known_id, version in self._known if known_id == kpi_id}
        return tuple(self.kpi(kpi_id, version) for version in sorted({*known, self._current_version(kpi_id)}))

    def _current_version(self, kpi_id: str) -> int:
        if kpi_id in _LIMITED:
            return self._limited
        return max(version for known_id, version in self._known if known_id == kpi_id)


def kpi(kpi_id: str, version: int | None = None, limit_s: float = _DEFAULT_LIMIT_S) -> Kpi:
    """See ``Catalogue.kpi``; ``limit_s`` is A1's limit."""
    return Catalogue(limit_s).kpi(kpi_id, version)
