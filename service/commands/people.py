"""``sansheng people``: who may sign in to the console, and as what (P1). The first administrator is made here."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace

from calls.accounts import Account, is_login
from calls.custody import Access, AccessKind
from calls.errors import PeopleError, SanshengError
from calls.ids import AgentNumber, Language, SectionId
from calls.people import Grant, Right, Role
from console.doorkeeper import Doorkeeper
from console.passwords import check_password, make_password
from service.commands.recordings import who
from service.settings import SECTIONS, Settings

_ROLES = ", ".join(Role)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    noun = commands.add_parser("people", help="who may sign in to the console: add, list, roles, password, …")
    verbs = noun.add_subparsers(required=True, metavar="COMMAND")

    def verb(name: str, run: object, text: str, *, login: bool = True) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        if login:
            made.add_argument("login")
        made.set_defaults(run=run)
        return made

    roles = f"ROLE or ROLE:SECTION; roles: {_ROLES}; sections: {', '.join(SECTIONS)}; without one, all"
    add = verb("add", _add, "somebody new; a password is made and printed once, unless one is typed")
    add.add_argument("--name", required=True, help="how others read it")
    add.add_argument("--role", action="append", default=[], metavar="ROLE[:SECTION]", help=roles)
    add.add_argument("--agent", metavar="NUMBER", help="their number on the roster")
    add.add_argument("--language", choices=["zh-CN", "en"])
    add.add_argument("--ask-password", action="store_true", help="type the password instead")
    add.add_argument("--no-password", action="store_true", help="signs in by OpenID Connect only")
    verb("list", _list, "everybody", login=False)
    change = verb("roles", _roles, "give exactly these roles; sessions end")
    change.add_argument("role", nargs="*", metavar="ROLE[:SECTION]", help=roles)
    password = verb("password", _password, "a new password, made and printed once; sessions end")
    password.add_argument("--ask-password", action="store_true", help="type it instead")
    verb("code-off", _code_off, "no second factor any more: the telephone is lost")
    verb("disable", _disable, "may not sign in; sessions end, tokens are revoked")
    verb("enable", _enable, "may sign in again")
    token = verb("token", _token, "a token for the API, printed once")
    token.add_argument("--name", required=True, help="what it is for")
    token.add_argument("--right", action="append", required=True, choices=[right.value for right in Right])
    token.add_argument("--days", type=int, default=90)


@contextlib.asynccontextmanager
async def doorkeeper(settings: Settings) -> AsyncIterator[Doorkeeper]:
    """The doorkeeper, for one command."""
    from service.console import doorkeeper_of
    from service.wiring import SystemClock
    from storage.engine import open_engine, upgrade

    settings.var_dir.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        yield doorkeeper_of(settings, engine, SystemClock())
    finally:
        await engine.dispose()


async def add_person(keeper: Doorkeeper, account: Account, password: str | None, by: str) -> None:
    """Somebody new, with a password that is somebody else's until they change it. Raises PeopleError."""
    if not is_login(account.login):
        raise PeopleError("a login is 2 to 40 small letters, digits, dots and dashes, as wang.xiaomei")
    if password is not None:
        check_password(password, account.login)
        account = replace(account, password_hash=await keeper.passwords.hash(password), must_change=True)
    told = ", ".join(map(text_of, account.grants)) or "no roles"
    await keeper.people.add(account, Access(by, AccessKind.PEOPLE, f"{account.login} added: {told}"))


def grant_of(settings: Settings, text: str) -> Grant:
    """``monitor:inquiry``, ``lead`` or ``department:stations``. Raises PeopleError."""
    from service.cases import case_catalogue_of

    role, colon, unit = text.partition(":")
    if role == Role.DEPARTMENT:
        departments = sorted(case_catalogue_of(settings).departments)
        if unit not in departments:
            raise PeopleError(f"{text!r}: expected department:DEPARTMENT; departments: {', '.join(departments)}")
    elif role not in list(Role) or (colon and unit not in SECTIONS):
        known = f"roles: {_ROLES}; sections: {', '.join(SECTIONS)}"
        raise PeopleError(f"{text!r}: expected ROLE or ROLE:SECTION; {known}")
    return Grant(Role(role), SectionId(unit) if colon else None)


def grants_of(settings: Settings, texts: Iterable[str]) -> tuple[Grant, ...]:
    """Each once."""
    return tuple(dict.fromkeys(grant_of(settings, text) for text in texts))


def text_of(grant: Grant) -> str:
    """As ``grant_of`` reads it."""
    return f"{grant.role}:{grant.section}" if grant.section else grant.role.value


def _act(settings: Settings, act: Callable[[Doorkeeper], Awaitable[None]]) -> int:
    async def run() -> None:
        async with doorkeeper(settings) as keeper:
            await act(keeper)

    try:
        asyncio.run(run())
    except PeopleError as error:
        raise SanshengError(_WEAK.get(str(error), str(error))) from error
    return 0


_WEAK = {
    "short": "the password is too short: 12 characters or more",
    "long": "the password is too long: 128 characters at most",
    "unprintable": "there is an invisible character in the password",
    "login": "the password is too much like the login",
    "common": "everybody tries this password",
}


def _typed() -> str:
    """The password, without showing it; from a pipe, its first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    typed = getpass.getpass("password: ")
    if getpass.getpass("again: ") != typed:
        raise PeopleError("the two are not the same")
    return typed


def _add(settings: Settings, options: argparse.Namespace) -> int:
    if options.agent and options.agent not in [agent.number for agent in settings.agents]:
        raise SanshengError(f"agent {options.agent} is not on the roster (agents in the settings)")

    async def act(keeper: Doorkeeper) -> None:
        made = None if options.no_password else _typed() if options.ask_password else make_password()
        account = Account(
            login=options.login,
            name=options.name,
            created_at=keeper.now(),
            agent=AgentNumber(options.agent) if options.agent else None,
            language=Language(options.language) if options.language else None,
            grants=grants_of(settings, options.role),
        )
        await add_person(keeper, account, made, who())
        _told(options, made)

    return _act(settings, act)


def _told(options: argparse.Namespace, made: str | None) -> None:
    if made is None:
        print(f"{options.login} may sign in by OpenID Connect")
    elif options.ask_password:
        print(f"{options.login} may sign in, and is asked for a password of their own then")
    else:
        print(f"{options.login} may sign in with the password {made}, which is shown only now;")
        print("they are asked for one of their own then")


def _list(settings: Settings, _options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        after, number = "", 0
        while found := await keeper.people.page(after=after):
            for one in found:
                state = "disabled" if not one.enabled else "second factor" if one.second_factor else ""
                roles = ", ".join(map(text_of, one.grants)) or "no roles"
                print(f"{one.login:20} {one.name:12} {one.agent or '-':6} {roles}  {state}".rstrip())
            after, number = found[-1].login, number + len(found)
        print(f"{number} people")

    return _act(settings, act)


def _roles(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        given = grants_of(settings, options.role)
        told = ", ".join(map(text_of, given)) or "no roles"
        await keeper.people.regrant(options.login, given, _noted(f"{options.login}: {told}"))
        print(f"{options.login}: {told}")

    return _act(settings, act)


def _password(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        made = _typed() if options.ask_password else make_password()
        check_password(made, options.login)
        kept = await keeper.passwords.hash(made)
        noted = _noted(f"{options.login}: new password")
        await keeper.people.set_password(options.login, kept, noted, must_change=True)
        _told(options, made)

    return _act(settings, act)


def _code_off(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        await keeper.people.set_code(options.login, None, None, _noted(f"{options.login}: second factor removed"))
        print(f"{options.login} signs in without a second factor")

    return _act(settings, act)


def _disable(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        await keeper.people.disable(options.login, _noted(f"{options.login} disabled"))
        print(f"{options.login} may not sign in any more")

    return _act(settings, act)


def _enable(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        await keeper.people.enable(options.login, _noted(f"{options.login} enabled"))
        print(f"{options.login} may sign in again")

    return _act(settings, act)


def _token(settings: Settings, options: argparse.Namespace) -> int:
    async def act(keeper: Doorkeeper) -> None:
        owner = await keeper.people.find(options.login)
        if owner is None:
            raise PeopleError(f"there is nobody called {options.login}")
        rights = frozenset(map(Right, options.right))
        number, token = await keeper.make_token(owner, options.name, rights, options.days, who())
        print(f"token {number}, shown only now: {token}")

    return _act(settings, act)


def _noted(what: str) -> Access:
    return Access(who(), AccessKind.PEOPLE, what)
