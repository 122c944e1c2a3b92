"""People, sessions, failures and tokens, on both databases (P1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.accounts import Account, Failures, Session, Token
from calls.custody import Access, AccessKind
from calls.errors import PeopleError
from calls.ids import AgentNumber, Language, SectionId
from calls.people import Grant, Right, Role
from storage.access import SqlAccessLog
from storage.people import SqlPeople
from storage.sessions import SqlFailures, SqlSessions, SqlTokens
from tests.support_books import SetClock
from tests.support_prepared import dropped, patient_engine, prepared

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
NOTED = Access("os:root", AccessKind.PEOPLE, "a test")
ADMIN = Account(login="admin", name="周婷", created_at=NOW, grants=(Grant(Role.ADMIN),), password_hash="x")
WANG = Account(
    login="wang",
    name="王晓梅",
    created_at=NOW,
    agent=AgentNumber("1001"),
    language=Language("en"),
    grants=(Grant(Role.AGENT, SectionId("inquiry")), Grant(Role.MONITOR)),
    password_hash="$argon2id$…",
    must_change=True,
)


def session(id: str, login: str = "wang", lasts: timedelta = timedelta(hours=12), at: datetime = NOW) -> Session:
    return Session(
        id=id, login=login, began_at=at, seen_at=at, ends_at=at + lasts, address="127.0.0.1", browser="火狐"
    )


def token(login: str = "wang", right: Right = Right.SEE_FIGURES) -> Token:
    return Token(
        number=0,
        login=login,
        name="报表",
        rights=frozenset({right, Right.SEE_LIVE}),
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        created_by="admin",
    )


class Books:
    """The tables, with an administrator and an agent in them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.clock = SetClock(NOW)
        self.people = SqlPeople(engine, self.clock)
        self.sessions = SqlSessions(engine, self.clock)
        self.failures = SqlFailures(engine)
        self.tokens = SqlTokens(engine, self.clock)
        self.log = SqlAccessLog(engine, self.clock)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    url = await prepared(request.param, tmp_path)
    engine = patient_engine(url)
    books = Books(engine)
    await books.people.add(ADMIN, NOTED)
    await books.people.add(WANG, NOTED)
    yield books
    await engine.dispose()
    dropped(url)


async def found(books: Books, login: str = "wang") -> Account:
    account = await books.people.find(login)
    assert account
    return account


async def test_an_account_comes_back_as_it_was_put_in(books: Books) -> None:
    assert await found(books) == WANG
    assert await books.people.find("nobody") is None
    assert [one.login for one in await books.people.page()] == ["admin", "wang"]
    assert [one.login for one in await books.people.page(after="admin", limit=1)] == ["wang"]
    assert [one.login for one in await books.people.page(role=Role.ADMIN)] == ["admin"]


@pytest.mark.parametrize(("login", "agent"), [("wang", None), ("li", "1001")])
async def test_names_and_numbers_are_somebodys_own(books: Books, login: str, agent: str | None) -> None:
    other = Account(login=login, name="x", created_at=NOW, agent=AgentNumber(agent) if agent else None)
    with pytest.raises(PeopleError):
        await books.people.add(other, NOTED)
    assert len(await books.log.entries()) == 2, "what was not done is not on record"


async def test_changes_are_on_record_and_end_sessions(books: Books) -> None:
    for change in (
        lambda: books.people.regrant("wang", [Grant(Role.OPS)], NOTED),
        lambda: books.people.set_password("wang", "new", NOTED, must_change=False),
        lambda: books.people.disable("wang", NOTED),
    ):
        await books.sessions.begin(session("one"))
        await books.sessions.begin(session("hers", "admin"))
        before = len(await books.log.entries())
        await change()
        assert await books.sessions.find("one") is None
        assert await books.sessions.find("hers")
        await books.sessions.end("hers")
        assert len(await books.log.entries()) == before + 1
    account = await found(books)
    assert (account.grants, account.password_hash, account.must_change) == ((Grant(Role.OPS),), "new", False)
    assert account.disabled_at == NOW
    await books.people.enable("wang", NOTED)
    assert (await found(books)).enabled


async def test_whoever_is_not_there_cannot_be_changed(books: Books) -> None:
    for change in (
        books.people.regrant("nobody", [Grant(Role.OPS)], NOTED),
        books.people.rename("nobody", "x", None, NOTED),
        books.people.disable("nobody", NOTED),
        books.people.enable("nobody", NOTED),
        books.people.set_password("nobody", "x", NOTED, must_change=False),
        books.people.set_code("nobody", b"x", "k", NOTED),
    ):
        with pytest.raises(PeopleError):
            await change
    assert len(await books.log.entries()) == 2


async def test_two_administrators_cannot_remove_each_other(books: Books) -> None:
    await books.people.regrant("wang", [Grant(Role.ADMIN)], NOTED)
    tried = await asyncio.gather(
        books.people.disable("admin", NOTED), books.people.regrant("wang", [], NOTED), return_exceptions=True
    )
    assert [type(each) for each in tried].count(PeopleError) == 1


async def test_the_session_in_which_the_password_was_changed_may_stay(books: Books) -> None:
    await books.sessions.begin(session("kept"))
    await books.sessions.begin(session("other"))
    await books.people.set_password("wang", "new", NOTED, must_change=False, keep="kept")
    assert await books.sessions.find("kept")
    assert await books.sessions.find("other") is None


async def test_a_session_begins_instead_of_another_and_clears_old_ones_away(books: Books) -> None:
    await books.sessions.begin(session("old", lasts=timedelta(hours=1)))
    await books.sessions.begin(session("one"))
    later = NOW + timedelta(hours=2)
    signed_in = Access("wang", AccessKind.SIGN_IN, "from here")
    await books.sessions.begin(session("two", at=later), instead_of="one", access=signed_in)
    assert await books.sessions.find("one") is None
    assert await books.sessions.find("old") is None
    kept, owner = await books.sessions.find("two") or pytest.fail("gone")
    assert kept == session("two", at=later)
    assert owner == WANG
    assert (await books.log.entries())[-1].access == signed_in


async def test_sessions_are_seen_listed_and_ended(books: Books) -> None:
    for name in ("one", "two", "three"):
        await books.sessions.begin(session(name))
    await books.sessions.seen("two", NOW + timedelta(minutes=5))
    assert (await books.sessions.of("wang"))[0].id == "two"
    assert await books.sessions.end_all("wang", NOTED, keep="three") == 2
    assert [one.id for one in await books.sessions.of("wang")] == ["three"]
    books.clock.moment = NOW + timedelta(hours=13)
    assert await books.sessions.of("wang") == []


async def test_a_code_is_taken_once_and_never_an_older_one(books: Books) -> None:
    await books.people.set_code("wang", b"sealed", "key", NOTED)
    account = await found(books)
    assert (account.code_sealed, account.code_key, account.second_factor) == (b"sealed", "key", True)
    taken = await asyncio.gather(*(books.people.take_code("wang", 100) for _ in range(4)))
    assert sorted(taken) == [False, False, False, True]
    assert not await books.people.take_code("wang", 99)
    assert await books.people.take_code("wang", 101)


async def test_failures_are_counted_and_forgotten(books: Books) -> None:
    one = Failures(3, NOW, NOW + timedelta(seconds=30))
    await books.failures.note("a", one, NOW - timedelta(hours=1))
    await books.failures.note("a", Failures(4, NOW, NOW), NOW - timedelta(hours=1))
    assert await books.failures.of("a") == Failures(4, NOW, NOW)
    later = NOW + timedelta(hours=2)
    await books.failures.note("b", Failures(1, later, later), later - timedelta(hours=1))
    assert await books.failures.of("a") is None
    await books.failures.clear("b")
    assert await books.failures.of("b") is None


async def test_tokens_are_found_by_their_hash_and_revoked_by_their_owner(books: Books) -> None:
    first = await books.tokens.add(token(), "hash 1", NOTED)
    second = await books.tokens.add(token(), "hash 2", NOTED)
    kept, owner = await books.tokens.find("hash 1") or pytest.fail("gone")
    assert (kept.number, kept.rights, kept.expires_at, owner) == (
        first,
        {Right.SEE_FIGURES, Right.SEE_LIVE},
        NOW + timedelta(days=7),
        WANG,
    )
    assert await books.tokens.find("hash 3") is None
    await books.tokens.used(first, NOW)
    assert not await books.tokens.revoke(first, "admin", NOTED)
    assert await books.tokens.revoke(first, "wang", NOTED)
    assert not await books.tokens.revoke(first, "wang", NOTED)
    by_number = {one.number: one for one in await books.tokens.of("wang")}
    assert (by_number[first].used_at, by_number[first].revoked_at) == (NOW, NOW)
    assert by_number[second].revoked_at is None
    await books.people.disable("wang", NOTED)
    assert all(one.revoked_at for one in await books.tokens.of())
