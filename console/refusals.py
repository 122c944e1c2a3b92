"""Refusals on record: who asked for what they may not have, and when (P1, P4).

An entry tells the kind of page and, of a call or a case, which one; never the query or what a form held, where a
caller's number may stand. Who asks over and over fills no log: some entries at once, then one a minute, and the
next one says how many were left out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from calls.cases import parse_number
from calls.custody import Access, AccessKind
from calls.errors import StorageUnavailable
from calls.ids import CallId, is_unique_id
from calls.people import Person
from calls.ports import AccessLog
from console.limits import Limit

log = logging.getLogger(__name__)

_AT_ONCE = 20
_PER_S = 1 / 60
_MOST = 10_000
"""People whose left out refusals are counted; with more of them, counting begins anew."""


class Refusals:
    """Writes them down."""

    def __init__(self, accesses: AccessLog, now: Callable[[], float] = time.monotonic) -> None:
        self._accesses = accesses
        self._limit = Limit(_PER_S, _AT_ONCE, now)
        self._left_out: dict[str, int] = {}

    async def note(self, person: Person, method: str, page: str, places: Mapping[str, str]) -> None:
        """One refusal. ``page`` is the route's pattern, ``places`` what the address held in its places.

        While the database is away it is only logged: the refusal stands without its entry.
        """
        login = person.login
        if self._limit.wait_s(login):
            if len(self._left_out) >= _MOST:
                self._left_out.clear()
            self._left_out[login] = self._left_out.get(login, 0) + 1
            return
        number, call_id = places.get("number", ""), places.get("call_id", "")
        words = [number] if parse_number(number) else []
        words.append(f"{method} {page}")
        left_out = self._left_out.pop(login, 0)
        if left_out:
            words.append(f"({left_out} more not listed)")
        known = CallId(call_id) if is_unique_id(call_id) else None
        try:
            await self._accesses.note(Access(login, AccessKind.REFUSED, " ".join(words)[:300], known))
        except StorageUnavailable as error:
            log.warning("console.refusal_not_noted", extra={"path": page, "reason": str(error)})
