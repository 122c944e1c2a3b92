"""Sessions of browsers, attempts that failed, and tokens of programs (P1). Secrets come in hashed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.accounts import Account, Failures, Session, Token
from calls.custody import Access
from calls.people import Right
from calls.ports import Clock
from storage.access import append
from storage.engine import for_writing
from storage.failed_sign_ins import outlived
from storage.faults import translated
from storage.people import accounts
from storage.people_tables import people, sessions, sign_in_failures, tokens


class SqlSessions:
    """Who has signed in, and from where."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._clock = clock

    async def begin(self, session: Session, instead_of: str = "", access: Access | None = None) -> None:
        """A new session; the one before it in the same browser ends."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(sessions).where(sessions.c.id == instead_of))
                await connection.execute(delete(sessions).where(sessions.c.ends_at <= session.began_at))
                await connection.execute(outlived(session.began_at))
                await connection.execute(
                    insert(sessions).values(
                        id=session.id,
                        login=session.login,
                        began_at=session.began_at,
                        seen_at=session.seen_at,
                        ends_at=session.ends_at,
                        address=session.address,
                        browser=session.browser,
                        waits_for_code=session.waits_for_code,
                    )
                )
                if access:
                    await append(connection, session.began_at, access)

    async def find(self, id: str) -> tuple[Session, Account] | None:
        """A session that was not ended, and whose it is; both may have passed their time."""
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(sessions).where(sessions.c.id == id))).one_or_none()
                if row is None:
                    return None
                owner = await accounts(connection, people.c.login == row.login)
        return _session(row), owner[0]

    async def seen(self, id: str, at: datetime) -> None:
        """It is in use."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(sessions).where(sessions.c.id == id).values(seen_at=at))

    async def end(self, id: str) -> None:
        """Signed out."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(sessions).where(sessions.c.id == id))

    async def end_all(self, login: str, access: Access, *, keep: str = "") -> int:
        """Signed out everywhere, but for ``keep``; how many there were."""
        with translated():
            async with self._writer.begin() as connection:
                ended = await connection.execute(
                    delete(sessions).where(sessions.c.login == login, sessions.c.id != keep)
                )
                await append(connection, self._clock.now(), access)
                return int(ended.rowcount)

    async def of(self, login: str) -> list[Session]:
        """Somebody's sessions, the one used last first."""
        with translated():
            async with self._engine.connect() as connection:
                wanted = select(sessions).where(sessions.c.login == login, sessions.c.ends_at > self._clock.now())
                rows = await connection.execute(wanted.order_by(sessions.c.seen_at.desc()).limit(100))
                return [_session(row) for row in rows]


class SqlFailures:
    """Attempts to sign in that failed. Keys are hashes: somebody may have typed a password for a name."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def of(self, key: str) -> Failures | None:
        """How often, and until when nothing more is looked at."""
        with translated():
            async with self._engine.connect() as connection:
                wanted = select(sign_in_failures).where(sign_in_failures.c.key == key)
                row = (await connection.execute(wanted)).one_or_none()
        return Failures(row.failed, row.last_at, row.until) if row else None

    async def note(self, key: str, failures: Failures, forget_before: datetime) -> None:
        """One more; what is older than ``forget_before`` is forgotten."""
        values = {"failed": failures.count, "last_at": failures.last_at, "until": failures.until}
        noted = self._insert(sign_in_failures).values(key=key, **values)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(
                    delete(sign_in_failures).where(sign_in_failures.c.last_at < forget_before)
                )
                await connection.execute(
                    noted.on_conflict_do_update(index_elements=[sign_in_failures.c.key], set_=values)
                )

    async def clear(self, key: str) -> None:
        """It went well."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(sign_in_failures).where(sign_in_failures.c.key == key))


class SqlTokens:
    """Programs' keys to the API."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._clock = clock

    async def add(self, token: Token, hash: str, access: Access) -> int:
        """A new token; its number."""
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(
                    insert(tokens)
                    .values(
                        hash=hash,
                        login=token.login,
                        name=token.name,
                        rights=" ".join(sorted(token.rights)),
                        created_at=token.created_at,
                        created_by=token.created_by,
                        expires_at=token.expires_at,
                    )
                    .returning(tokens.c.number)
                )
                await append(connection, self._clock.now(), access)
        assert number is not None, "the database numbers what it stores"
        return int(number)

    async def find(self, hash: str) -> tuple[Token, Account] | None:
        """The token with this hash, and whose it is; it may be over."""
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(tokens).where(tokens.c.hash == hash))).one_or_none()
                if row is None:
                    return None
                owner = await accounts(connection, people.c.login == row.login)
        return _token(row), owner[0]

    async def used(self, number: int, at: datetime) -> None:
        """It is in use."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(tokens).where(tokens.c.number == number).values(used_at=at))

    async def of(self, login: str | None = None) -> list[Token]:
        """Somebody's tokens, or everybody's, the newest first."""
        wanted = select(tokens).order_by(tokens.c.number.desc()).limit(200)
        if login is not None:
            wanted = wanted.where(tokens.c.login == login)
        with translated():
            async with self._engine.connect() as connection:
                return [_token(row) for row in await connection.execute(wanted)]

    async def revoke(self, number: int, login: str, access: Access) -> bool:
        """No more; whether it was one of ``login``'s that could still be used."""
        now = self._clock.now()
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(
                    update(tokens)
                    .where(tokens.c.number == number, tokens.c.login == login, tokens.c.revoked_at.is_(None))
                    .values(revoked_at=now)
                )
                if done.rowcount:
                    await append(connection, now, access)
                return bool(done.rowcount)


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        login=row.login,
        began_at=row.began_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        address=row.address,
        browser=row.browser,
        waits_for_code=row.waits_for_code,
    )


def _token(row: Row[Any]) -> Token:
    known = {right.value: right for right in Right}
    return Token(
        number=row.number,
        login=row.login,
        name=row.name,
        rights=frozenset(known[name] for name in row.rights.split() if name in known),
        created_at=row.created_at,
        expires_at=row.expires_at,
        created_by=row.created_by,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
