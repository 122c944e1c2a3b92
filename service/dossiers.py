"""What is known of a caller, gathered from the books for the desk that will serve the call (screen pop)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from calls.desk import Dossier
from calls.ids import CallId
from calls.ports import Clock
from service.back_room import BackRoom
from storage.callers import SqlCallers

EARLIER_SHOWN = 8


class Dossiers:
    """Looks numbers up in the back room. ``key_customers`` are numbers whose complaints go first (C8)."""

    def __init__(
        self,
        room: BackRoom,
        callers: SqlCallers,
        clock: Clock,
        key_customers: Callable[[str], bool] = lambda number: False,
    ) -> None:
        self._room = room
        self._callers = callers
        self._clock = clock
        self._key_customers = key_customers

    async def look_up(self, call_id: CallId, caller: str, arrived_at: datetime) -> Dossier:
        """See ``service.screen_pop.LookUp``. Raises StorageError."""
        return await self._room.run(self._gather(caller, arrived_at))

    async def _gather(self, caller: str, arrived_at: datetime) -> Dossier:
        earlier = await self._callers.earlier(caller, arrived_at, EARLIER_SHOWN)
        matters = await self._callers.matters(caller)
        return Dossier(
            looked_up_at=self._clock.now(),
            earlier=tuple(earlier),
            matters=tuple(sorted(matters, key=lambda each: (each.due_at is None, each.due_at, each.number))),
            key_customer=self._key_customers(caller),
        )
