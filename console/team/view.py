"""Who let it ring, added up for a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from calls.figures import Figure
from calls.ids import AgentNumber
from calls.ports import Ratio
from storage.rings import Ringing, RingTally


@dataclass(slots=True)
class AgentRings:
    """One agent's offers over a period."""

    agent: AgentNumber
    kept: int = 0
    offers: int = 0
    """Both of K2r, by the catalogue."""
    how: Counter[Ringing] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    """Offers that were not answered in time, by the local hour in which the call arrived."""

    @property
    def missed(self) -> int:
        """Offers that were not answered in time."""
        return self.how.total()

    @property
    def rate(self) -> Ratio:
        """K2r."""
        return Ratio(self.kept, self.offers)


@dataclass(frozen=True, slots=True)
class RingTable:
    """All agents, the one with the most calls that rang out first."""

    agents: Sequence[AgentRings]
    hours: range
    """From the first hour in which something was not answered in time to the last."""
    heaviest: int
    """The most in one cell."""

    @property
    def all(self) -> AgentRings:
        """The sum."""
        whole = AgentRings(AgentNumber(""))
        for each in self.agents:
            whole.kept += each.kept
            whole.offers += each.offers
            whole.how.update(each.how)
            whole.by_hour.update(each.by_hour)
        return whole


def ring_table(figures: Iterable[Figure], tallies: Iterable[RingTally]) -> RingTable:
    """K2r's parts by agent, and what is behind the difference of its two sides."""
    agents: dict[AgentNumber, AgentRings] = {}
    for figure in figures:
        mine = agents.setdefault(AgentNumber(figure.slice.agent or ""), AgentRings(AgentNumber("")))
        mine.agent = AgentNumber(figure.slice.agent or "")
        mine.kept += round(figure.numerator)
        mine.offers += round(figure.denominator)
    for each in tallies:
        mine = agents.setdefault(each.agent, AgentRings(each.agent))
        mine.how[each.how] += each.number
        mine.by_hour[each.hour] += each.number
    shown = [each for each in agents.values() if each.offers or each.missed]
    shown.sort(key=lambda each: (-each.how[Ringing.RANG_OUT], -each.missed, each.agent))
    hours = sorted({hour for each in shown for hour in each.by_hour})
    heaviest = max((count for each in shown for count in each.by_hour.values()), default=0)
    return RingTable(shown, range(hours[0], hours[-1] + 1) if hours else range(0), heaviest)
