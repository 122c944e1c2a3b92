"""Retention at work: what has been kept long enough is buried, and what stands in doubt is left to a person (P2).

A burial is safe to be killed at any instant: keys are destroyed and tombstones written in one transaction,
with the entry in the access log; the objects, which nobody can open any more, are removed after that, and again
by whoever comes next until they are gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import SanshengError
from calls.ids import CallId
from calls.ports import Clock
from recordings.retention import Caution, Cutoff, Policies, Policy
from service.custody import Custody
from service.settings import Retention, Settings
from storage.retention import Due, SqlRetention

log = logging.getLogger(__name__)

ACTOR = "service:retention"


class ClockDoubted(SanshengError):
    """So much is due that the clock, or the policy, may be wrong: nothing was deleted."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found."""

    due: int
    """Calls."""
    kept: int
    """Calls in custody; 0 if none is due."""
    doubt: str
    """Why nothing is deleted without a person's word; empty if all is as usual."""


class RetentionKeeper:
    """Buries what is due."""

    def __init__(
        self, retention: SqlRetention, custody: Custody, policies: Policies, caution: Caution, clock: Clock
    ) -> None:
        self._retention = retention
        self._custody = custody
        self._policies = policies
        self._caution = caution
        self._clock = clock

    async def look(self) -> Found:
        """What would be deleted now."""
        now = self._clock.now()
        due, kept = await self._retention.count(*self._cutoffs())
        believed = await self._retention.believed() or now
        return Found(due, kept, self._caution.doubt(now, believed, due, kept))

    async def due(self) -> list[tuple[CallId, Policy]]:
        """The calls that would be deleted now, and under which policy."""
        found: list[tuple[CallId, Policy]] = []
        while some := await self._retention.due(*self._cutoffs(), after=found[-1][0] if found else ""):
            found += [(each.call_id, self._policy(each)) for each in some]
        return found

    async def some_due(self, most: int) -> list[tuple[CallId, Policy]]:
        """The first of the calls that would be deleted now, and under which policy."""
        found = await self._retention.due(*self._cutoffs(), limit=most)
        return [(each.call_id, self._policy(each)) for each in found]

    async def keep(
        self, *, actor: str = ACTOR, force: bool = False, tell: Callable[[CallId], None] = lambda call_id: None
    ) -> int:
        """Bury what is due, and remove what was buried; how many calls. ``tell`` hears of each.

        Raises ClockDoubted, with nothing deleted, where a clock set wrong would do the same; unless ``force``.
        """
        found = await self.look()
        if found.doubt and not force and not found.due:
            return 0  # and the clock is not believed
        if found.doubt and not force:
            log.error("retention.refused", extra={"due": found.due, "kept": found.kept, "reason": found.doubt})
            raise ClockDoubted(
                f"nothing was deleted: {found.doubt}. If this is right: sansheng retention run --force"
            )
        await self._retention.believe(self._clock.now())
        done, after = 0, ""
        while some := await self._retention.due(*self._cutoffs(), after=after):
            for each in some:
                done += await self._bury(each, actor)
                tell(each.call_id)
            after = some[-1].call_id
        await self.remove_buried()
        return done

    async def remove_buried(self) -> None:
        """Remove objects of tombstones that an interrupted burial left in the store."""
        while places := await self._custody.books.unremoved():
            for place in places:
                await self._custody.remove(place)

    async def _bury(self, due: Due, actor: str) -> bool:
        policy = self._policy(due)
        places = await self._retention.bury(due.call_id, self._clock.now(), actor, f"retention: {policy}")
        if places:
            log.info("recording.deleted", extra={"call_id": due.call_id, "policy": policy.name})
        for place in places:
            await self._custody.remove(place)
        return bool(places)

    def _cutoffs(self) -> tuple[list[Cutoff], datetime]:
        now = self._clock.now()
        return list(self._policies.cutoffs(now)), now - timedelta(days=self._policies.longest.days)

    def _policy(self, due: Due) -> Policy:
        return self._policies.of(due.section, promised=due.promised) if due.known else self._policies.longest


def policies_of(retention: Retention) -> Policies:
    """The policies as they are set."""
    return Policies(
        tuple(
            Policy(keep.name, keep.days, frozenset(keep.sections), keep.promised_only)
            for keep in retention.policies
        )
    )


def keeper_of(settings: Settings, engine: AsyncEngine, custody: Custody, clock: Clock) -> RetentionKeeper:
    """The keeper of an installation."""
    one = settings.retention
    caution = Caution(timedelta(days=one.clock_jump_days), one.at_once_share)
    return RetentionKeeper(SqlRetention(engine), custody, policies_of(one), caution, clock)
