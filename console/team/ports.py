"""What the supervisor's pages ask of the rest of the service; joined in ``service/console.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from calls.ids import AgentNumber, SectionId
from calls.live import Picture
from calls.people import Scope
from console.desk.ports import Telephones


class Now(Protocol):
    """The live picture, from another loop."""

    async def picture(self) -> Picture:
        """Of this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamParts:
    """What the supervisor's pages are made from, beside ``console.parts.Parts``."""

    now: Now
    telephones: Telephones
    roster: Mapping[AgentNumber, tuple[SectionId, ...]]
    """Each agent's own sections; none: an agent of the overflow group, who belongs to the whole centre."""

    def agents_within(self, scope: Scope) -> list[AgentNumber]:
        """Whom a right reaches. The overflow group's agents take every section's calls: only who answers for all
        of the centre may steer them."""
        return [number for number, sections in self.roster.items() if self.covers(scope, sections)]

    @staticmethod
    def covers(scope: Scope, sections: tuple[SectionId, ...]) -> bool:
        """Whether an agent of these sections is within reach."""
        return scope.everything or any(scope.covers(section) for section in sections)
