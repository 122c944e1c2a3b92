"""Leave to hear an original: for a reason, to one person in one session, for one call and a short time (P1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from calls.errors import AccessDenied
from calls.ids import CallId
from calls.ports import Clock
from console.ask import Ask

LASTS = timedelta(minutes=15)
_SHORTEST_REASON, _LONGEST_REASON = 4, 300
_MOST = 1000

_Key = tuple[str, str, CallId]


class Originals:
    """Who may hear which originals at this moment. Forgotten when the service stops."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[_Key, tuple[str, datetime]] = {}

    def give(self, ask: Ask, call_id: CallId, reason: str) -> None:
        """From now on the asker may, in this session. Raises AccessDenied for a reason that is none."""
        said = " ".join(reason.split())
        if not _SHORTEST_REASON <= len(said) <= _LONGEST_REASON or not said.isprintable():
            raise AccessDenied("say in a few words why the original is needed")
        now = self._clock.now()
        self._given = {key: each for key, each in self._given.items() if each[1] > now}
        if len(self._given) >= _MOST:
            raise AccessDenied("too many people hear originals at this moment")
        self._given[_key(ask, call_id)] = said, now + LASTS

    def reason(self, ask: Ask, call_id: CallId) -> str | None:
        """Why the asker hears the original of this call; ``None``: no leave, or not any more."""
        reason, until = self._given.get(_key(ask, call_id), (None, None))
        return reason if until is not None and until > self._clock.now() else None


def _key(ask: Ask, call_id: CallId) -> _Key:
    return ask.session, ask.who.login, call_id
