"""Who may sign in, in which roles (P1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.accounts import Account, Named
from calls.custody import Access
from calls.errors import PeopleError, StorageRefused
from calls.ids import AgentNumber, Language, SectionId
from calls.people import Grant, Role
from calls.ports import Clock
from storage.access import append, one_at_a_time
from storage.engine import for_writing
from storage.faults import translated
from storage.people_tables import grants, people, sessions, tokens


class SqlPeople:
    """Accounts. Every change is in the access log in the same transaction, and ends the sessions it must end.

    Raises StorageUnavailable or StorageRefused; PeopleError for somebody who is not there.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._clock = clock

    async def find(self, login: str) -> Account | None:
        """The account of that name, disabled or not."""
        found = await self._accounts(people.c.login == login)
        return found[0] if found else None

    async def page(self, *, after: str = "", limit: int = 50, role: Role | None = None) -> list[Account]:
        """Accounts in the order of their names, from the one behind ``after`` on."""
        wanted: ColumnElement[bool] = people.c.login > after
        if role is not None:
            wanted = wanted & people.c.login.in_(select(grants.c.login).where(grants.c.role == role))
        return await self._accounts(wanted, limit)

    async def holding(self, roles: Iterable[Role], section: str) -> list[Account]:
        """Who may sign in and holds one of these roles for a section, or for all of them; by name."""
        wanted = [role.value for role in roles]
        held = select(grants.c.login).where(grants.c.role.in_(wanted), grants.c.section.in_(("", section)))
        found = await self._accounts(people.c.login.in_(held) & people.c.disabled_at.is_(None))
        return sorted(found, key=lambda account: (account.name, account.login))

    async def names(self) -> list[Named]:
        """Everybody's name, also of who has left."""
        wanted = select(people.c.login, people.c.name, people.c.agent)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [Named(row.login, row.name, AgentNumber(row.agent) if row.agent else None) for row in rows]

    async def add(self, account: Account, access: Access) -> None:
        """A new account. Raises PeopleError if the name, or the agent's number, is taken."""
        try:
            with translated():
                async with self._writer.begin() as connection:
                    await connection.execute(insert(people).values(**_values(account)))
                    await _give(connection, account.login, account.grants)
                    await append(connection, self._clock.now(), access)
        except StorageRefused as error:
            raise PeopleError(f"{account.login}: the name or the agent's number is taken") from error

    async def regrant(self, login: str, roles: Iterable[Grant], access: Access) -> None:
        """Give exactly these roles. The sessions end: what was open under the old ones closes."""
        with translated():
            async with self._writer.begin() as connection:
                await _one_keeper_remains(connection, login, tuple(roles))
                await connection.execute(delete(grants).where(grants.c.login == login))
                await _give(connection, login, roles)
                await _end_sessions(connection, login)
                await append(connection, self._clock.now(), access)

    async def rename(self, login: str, name: str, agent: AgentNumber | None, access: Access) -> None:
        """Another name, another agent's number. Raises PeopleError if the number is taken."""
        try:
            await self._change(login, {"name": name, "agent": agent}, access)
        except StorageRefused as error:
            raise PeopleError(f"agent {agent} is somebody else") from error

    async def disable(self, login: str, access: Access) -> None:
        """Sessions end, tokens are revoked, nothing opens any more. The account stays: the log speaks of it."""
        now = self._clock.now()
        with translated():
            async with self._writer.begin() as connection:
                await _one_keeper_remains(connection, login, ())
                await _changed(connection, login, {"disabled_at": now})
                await _end_sessions(connection, login)
                await connection.execute(
                    update(tokens)
                    .where(tokens.c.login == login, tokens.c.revoked_at.is_(None))
                    .values(revoked_at=now)
                )
                await append(connection, now, access)

    async def enable(self, login: str, access: Access) -> None:
        """May sign in again. Tokens stay revoked."""
        await self._change(login, {"disabled_at": None}, access)

    async def set_password(
        self, login: str, password_hash: str, access: Access, *, must_change: bool, keep: str = ""
    ) -> None:
        """A new password; every session ends but ``keep``, the one that it was changed in."""
        values = {"password_hash": password_hash, "must_change": must_change}
        with translated():
            async with self._writer.begin() as connection:
                await _changed(connection, login, values)
                await _end_sessions(connection, login, keep)
                await append(connection, self._clock.now(), access)

    async def set_code(self, login: str, sealed: bytes | None, key: str | None, access: Access) -> None:
        """A second factor, or none."""
        await self._change(login, {"code_sealed": sealed, "code_key": key, "code_step": 0}, access)

    async def take_code(self, login: str, step: int) -> bool:
        """Whether the one-time password of this time step is taken for the first time."""
        with translated():
            async with self._writer.begin() as connection:
                newer = people.c.code_step < step
                taken = await connection.execute(
                    update(people).where(people.c.login == login, newer).values(code_step=step)
                )
                return bool(taken.rowcount)

    async def set_language(self, login: str, language: Language | None) -> None:
        """The console's language for somebody: a taste, which needs no entry in the log."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(people).where(people.c.login == login).values(language=language))

    async def rehash(self, login: str, password_hash: str) -> None:
        """The same password, hashed at today's cost."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(
                    update(people).where(people.c.login == login).values(password_hash=password_hash)
                )

    async def _change(self, login: str, values: dict[str, Any], access: Access) -> None:
        with translated():
            async with self._writer.begin() as connection:
                await _changed(connection, login, values)
                await append(connection, self._clock.now(), access)

    async def _accounts(self, wanted: ColumnElement[bool], limit: int | None = None) -> list[Account]:
        with translated():
            async with self._engine.connect() as connection:
                return await accounts(connection, wanted, limit)


async def accounts(
    connection: AsyncConnection, wanted: ColumnElement[bool], limit: int | None = None
) -> list[Account]:
    """Accounts with their roles, in the order of their names."""
    found = select(people).where(wanted).order_by(people.c.login).limit(limit)
    rows = (await connection.execute(found)).all()
    given: dict[str, list[Grant]] = {row.login: [] for row in rows}
    of_them = select(grants).where(grants.c.login.in_(given)).order_by(grants.c.role, grants.c.section)
    for row in await connection.execute(of_them) if given else ():
        section = SectionId(row.section) if row.section else None
        given[row.login].append(Grant(Role(row.role), section))
    return [_account(row, tuple(given[row.login])) for row in rows]


async def _give(connection: AsyncConnection, login: str, roles: Iterable[Grant]) -> None:
    values = [{"login": login, "role": each.role.value, "section": each.section or ""} for each in roles]
    if values:
        await connection.execute(insert(grants), values)


async def _changed(connection: AsyncConnection, login: str, values: dict[str, Any]) -> None:
    done = await connection.execute(update(people).where(people.c.login == login).values(**values))
    if not done.rowcount:
        raise PeopleError(f"there is nobody called {login}")


async def _end_sessions(connection: AsyncConnection, login: str, keep: str = "") -> None:
    await connection.execute(delete(sessions).where(sessions.c.login == login, sessions.c.id != keep))


async def _one_keeper_remains(connection: AsyncConnection, login: str, roles: tuple[Grant, ...]) -> None:
    """Raises PeopleError if nobody could keep people any more, or for somebody who is not there."""
    if not await connection.scalar(select(func.count()).where(people.c.login == login)):
        raise PeopleError(f"there is nobody called {login}")
    await one_at_a_time(connection)  # two administrators who take each other's role away
    keeps = select(people.c.login).join(grants, grants.c.login == people.c.login)
    keeps = keeps.where(grants.c.role == Role.ADMIN, people.c.disabled_at.is_(None)).distinct()
    keepers = set((await connection.execute(keeps)).scalars())
    if keepers == {login} and not any(each.role is Role.ADMIN for each in roles):
        raise PeopleError(f"{login} is the last administrator")


def _values(account: Account) -> dict[str, Any]:
    return {
        "login": account.login,
        "name": account.name,
        "agent": account.agent,
        "language": account.language,
        "password_hash": account.password_hash,
        "must_change": account.must_change,
        "code_step": 0,
        "created_at": account.created_at,
    }


def _account(row: Row[Any], given: tuple[Grant, ...]) -> Account:
    return Account(
        login=row.login,
        name=row.name,
        agent=AgentNumber(row.agent) if row.agent else None,
        language=Language(row.language) if row.language else None,
        grants=given,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        password_hash=row.password_hash,
        must_change=row.must_change,
        code_sealed=row.code_sealed,
        code_key=row.code_key,
        code_step=row.code_step,
    )
