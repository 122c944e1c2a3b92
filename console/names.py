"""Who stands behind a login or an agent's number, as pages write it: the name, the number small beside it.

Every page may name anybody, so all names are kept here and read again once they are older than ``_FRESH``: a page
asks the books for none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from markupsafe import Markup

from calls.ports import Clock
from console.shown import NOTHING
from storage.people import SqlPeople

_FRESH = timedelta(seconds=10)


class Names:
    """Names of people; a login or number that nobody has stands for itself."""

    def __init__(self, people: SqlPeople, clock: Clock) -> None:
        self._people = people
        self._clock = clock
        self._read_at: datetime | None = None
        self._by_login: Mapping[str, str] = {}
        self._by_agent: Mapping[str, str] = {}

    async def refresh(self) -> None:
        """Read them, if that is long ago. Raises StorageUnavailable."""
        now = self._clock.now()
        if self._read_at is not None and self._read_at <= now < self._read_at + _FRESH:
            return
        found = await self._people.names()
        self._by_login = {each.login: each.name for each in found}
        self._by_agent = {each.agent: each.name for each in found if each.agent}
        self._read_at = now

    def person(self, login: str | None) -> str:
        """A login's name and the login, as plain text: for headings and choices."""
        return _plain(login, self._by_login)

    def agent(self, number: str | None) -> str:
        """An agent's name and number, as plain text."""
        return _plain(number, self._by_agent)

    def person_beside(self, login: str | None) -> Markup:
        """The name, the login small beside it."""
        return _beside(login, self._by_login)

    def agent_beside(self, number: str | None) -> Markup:
        """The name, the number small beside it."""
        return _beside(number, self._by_agent)


def _plain(key: str | None, names: Mapping[str, str]) -> str:
    if not key:
        return NOTHING
    name = names.get(key)
    return f"{name} {key}" if name else key


def _beside(key: str | None, names: Mapping[str, str]) -> Markup:
    if not key:
        return Markup(NOTHING)  # noqa: S704 - a constant
    name = names.get(key)
    return Markup("{} <small>{}</small>").format(name, key) if name else Markup.escape(key)
