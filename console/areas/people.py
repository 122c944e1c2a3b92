"""People and rights, for administrators (P1). Everything that is changed here is in the access log."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from calls.accounts import Account, is_login
from calls.custody import Access, AccessKind
from calls.errors import PeopleError
from calls.ids import AgentNumber, Language, SectionId
from calls.people import RIGHTS, Grant, Right, Role
from console.ask import Ask
from console.painter import address, seen_elsewhere
from console.parts import Parts
from console.passwords import make_password
from console.routes import Route, get, post

_LINES = 50
_LONGEST_NAME = 60
_NEEDS = Right.KEEP_PEOPLE


class PeopleArea:
    """The list, and a page for each person. Nobody changes their own roles here."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._keeper = parts.doorkeeper
        self._people = parts.doorkeeper.people

    def routes(self) -> list[Route]:
        """What it answers."""
        one = "/people/{login}"
        return [
            get("/people", _NEEDS, self.list),
            get("/people/new", _NEEDS, self.new_form),
            post("/people/new", _NEEDS, self.add),
            get(one, _NEEDS, self.person),
            post(f"{one}/name", _NEEDS, self.rename),
            post(f"{one}/roles", _NEEDS, self.regrant),
            post(f"{one}/password", _NEEDS, self.reset_password),
            post(f"{one}/code/off", _NEEDS, self.drop_code),
            post(f"{one}/disable", _NEEDS, self.disable),
            post(f"{one}/enable", _NEEDS, self.enable),
            post(f"{one}/sessions/end", _NEEDS, self.end_sessions),
            post(f"{one}/tokens", _NEEDS, self.make_token),
            post(f"{one}/tokens/{{number}}/revoke", _NEEDS, self.revoke_token),
        ]

    async def list(self, ask: Ask) -> web.Response:
        """Everybody, by name, in pages."""
        told, after = ask.query.get("role", ""), ask.query.get("after", "")[:40].replace("\0", "")
        role = Role(told) if told in list(Role) else None
        found = await self._people.page(after=after, limit=_LINES + 1, role=role)
        shown = found[:_LINES]
        return self._parts.painter.page(
            ask,
            "people/list.html.j2",
            people=shown,
            role=told,
            role_words=[(each.value, ask.texts(f"role.{each}")) for each in Role],
            unit_name=self._unit_name(ask),
            first=address("/people", ask.query, after="") if after else "",
            next=address("/people", ask.query, after=shown[-1].login) if len(found) > _LINES else "",
        )

    # ── Somebody new ─────────────────────────────────────────────────────────────────────────────────────────

    async def new_form(self, ask: Ask) -> web.Response:
        """The form."""
        return self._new(ask, {}, {})

    async def add(self, ask: Ask) -> web.Response:
        """Somebody new, whose password is shown once, to whoever hands it on."""
        told = {name: ask.form.get(name, "").strip() for name in ("login", "name", "agent", "language")}
        told["login"] = told["login"].lower()
        errors = self._wrong(ask, told)
        if not is_login(told["login"]):
            errors["login"] = ask.texts("people.wrong_login")
        if errors:
            return self._new(ask, told, errors)
        password = make_password()
        account = Account(
            login=told["login"],
            name=told["name"],
            created_at=self._parts.clock.now(),
            agent=AgentNumber(told["agent"]) if told["agent"] else None,
            language=Language(told["language"]) if told["language"] in ("zh-CN", "en") else None,
            grants=self._granted(ask),
            password_hash=await self._keeper.passwords.hash(password),
            must_change=True,
        )
        try:
            await self._people.add(account, self._noted(ask, f"{account.login} added: {_told(account.grants)}"))
        except PeopleError:
            return self._new(ask, told, {"login": ask.texts("people.taken")})
        return await self._shown(ask, account.login, password=password)

    def _new(self, ask: Ask, told: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
        return self._parts.painter.page(
            ask,
            "people/new.html.j2",
            status=400 if errors else 200,
            told=told,
            errors=errors,
            given={_value(grant) for grant in self._granted(ask)} if ask.method == "POST" else set(),
            **self._choices(ask),
        )

    def _wrong(self, ask: Ask, told: Mapping[str, str]) -> dict[str, str]:
        errors: dict[str, str] = {}
        if not told["name"] or len(told["name"]) > _LONGEST_NAME or not told["name"].isprintable():
            errors["name"] = ask.texts("people.wrong_name")
        if told["agent"] and told["agent"] not in self._parts.roster:
            errors["agent"] = ask.texts("people.wrong_agent")
        return errors

    # ── One person ───────────────────────────────────────────────────────────────────────────────────────────

    async def person(self, ask: Ask) -> web.Response:
        """All that is kept of somebody."""
        return await self._shown(ask, (await self._found(ask)).login)

    async def rename(self, ask: Ask) -> web.Response:
        """Another name, another number on the roster."""
        account = await self._found(ask)
        told = {name: ask.form.get(name, "").strip() for name in ("name", "agent")}
        errors = self._wrong(ask, told)
        if errors:
            return await self._shown(ask, account.login, errors=errors)
        agent = AgentNumber(told["agent"]) if told["agent"] else None
        try:
            noted = self._noted(ask, f"{account.login}: name, agent {agent or 'none'}")
            await self._people.rename(account.login, told["name"], agent, noted)
        except PeopleError:
            return await self._shown(ask, account.login, errors={"agent": ask.texts("people.agent_taken")})
        return self._back(account, "people.saved")

    async def regrant(self, ask: Ask) -> web.Response:
        """Exactly the roles that are ticked; sessions end."""
        account = await self._other(ask)
        given = self._granted(ask)
        try:
            await self._people.regrant(account.login, given, self._noted(ask, f"{account.login}: {_told(given)}"))
        except PeopleError:
            return await self._shown(ask, account.login, errors={"roles": ask.texts("people.last_admin")})
        return self._back(account, "people.roles_saved")

    async def reset_password(self, ask: Ask) -> web.Response:
        """A new one, shown once; sessions end."""
        account, password = await self._other(ask), make_password()
        kept = await self._keeper.passwords.hash(password)
        noted = self._noted(ask, f"{account.login}: new password")
        await self._people.set_password(account.login, kept, noted, must_change=True)
        return await self._shown(ask, account.login, password=password)

    async def drop_code(self, ask: Ask) -> web.Response:
        """The telephone is lost."""
        account = await self._other(ask)
        await self._people.set_code(
            account.login, None, None, self._noted(ask, f"{account.login}: second factor removed")
        )
        return self._back(account, "people.code_dropped")

    async def disable(self, ask: Ask) -> web.Response:
        """Out at once, and not in again."""
        account = await self._other(ask)
        try:
            await self._people.disable(account.login, self._noted(ask, f"{account.login} disabled"))
        except PeopleError:
            return await self._shown(ask, account.login, errors={"roles": ask.texts("people.last_admin")})
        return self._back(account, "people.disabled_done")

    async def enable(self, ask: Ask) -> web.Response:
        """May sign in again."""
        account = await self._other(ask)
        await self._people.enable(account.login, self._noted(ask, f"{account.login} enabled"))
        return self._back(account, "people.enabled_done")

    async def end_sessions(self, ask: Ask) -> web.Response:
        """Signed out everywhere."""
        account = await self._other(ask)
        await self._keeper.sessions.end_all(account.login, self._noted(ask, f"{account.login}: sessions ended"))
        return self._back(account, "people.sessions_ended")

    async def make_token(self, ask: Ask) -> web.Response:
        """A token for a program that acts in this person's name; shown once."""
        account = await self._found(ask)
        known = {right.value: right for right in Right}
        rights = frozenset(known[told] for told in ask.form.getall("right", []) if told in known)
        told = ask.form.get("days", "")
        days = int(told) if told.isdecimal() and len(told) < 5 else 0
        name = _plain(ask.form.get("token_name", ""))
        try:
            _, token = await self._keeper.make_token(account, name, rights, days, ask.who.login)
        except PeopleError:
            return await self._shown(ask, account.login, errors={"token": ask.texts("people.wrong_token")})
        return await self._shown(ask, account.login, token=token)

    async def revoke_token(self, ask: Ask) -> web.Response:
        """Of no use any more."""
        account, told = await self._found(ask), ask.params["number"]
        number = int(told) if told.isdecimal() and len(told) < 10 else 0
        noted = self._noted(ask, f"token {number} of {account.login} revoked")
        if not await self._keeper.tokens.revoke(number, account.login, noted):
            raise web.HTTPNotFound
        return self._back(account, "people.token_revoked")

    # ── Shared ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _found(self, ask: Ask) -> Account:
        login = ask.params["login"]
        account = await self._people.find(login) if is_login(login) else None
        if account is None:
            raise web.HTTPNotFound
        return account

    async def _other(self, ask: Ask) -> Account:
        """Somebody else: what concerns oneself is done by another administrator, or under one's own account."""
        account = await self._found(ask)
        if account.login == ask.who.login:
            raise web.HTTPConflict
        return account

    async def _shown(
        self, ask: Ask, login: str, *, password: str = "", token: str = "", errors: Mapping[str, str] | None = None
    ) -> web.Response:
        account = await self._people.find(login)
        assert account is not None, "accounts stay"
        return self._parts.painter.page(
            ask,
            "people/person.html.j2",
            status=400 if errors else 200,
            account=account,
            own=account.login == ask.who.login,
            password=password,
            token=token,
            errors=errors or {},
            given={_value(grant) for grant in account.grants},
            sessions=await self._keeper.sessions.of(login),
            tokens=await self._keeper.tokens.of(login),
            rights=sorted(account.person.rights),
            now=self._parts.clock.now(),
            **self._choices(ask),
        )

    def _choices(self, ask: Ask) -> dict[str, object]:
        """What the forms offer."""
        name = self._unit_name(ask)
        return {
            "roles": [role for role in Role if role is not Role.DEPARTMENT],
            "units": [(section, name(section)) for section in self._parts.sections],
            "unit_names": [name(section) for section in self._parts.sections],
            "departments": [(one, name(SectionId(one))) for one in self._departments],
            "roster": [("", "–"), *((number, number) for number in self._parts.roster)],
            "role_rights": {role: sorted(RIGHTS[role]) for role in Role},
            "unit_name": name,
        }

    @property
    def _departments(self) -> tuple[str, ...]:
        return tuple(map(str, self._parts.case_catalogue.departments))

    def _unit_name(self, ask: Ask) -> Callable[[SectionId | None], str]:
        """What people call a section or department."""
        language, catalogue = ask.texts.language, self._parts.case_catalogue

        def name(unit: SectionId | None) -> str:
            if unit is None:
                return ask.texts("account.all_sections")
            names = self._parts.sections.get(unit)
            return names.get(language, unit) if names else catalogue.department_name(unit, language)

        return name

    def _granted(self, ask: Ask) -> tuple[Grant, ...]:
        """The boxes that are ticked, as far as there are such roles and units."""
        given: dict[Grant, None] = {}
        for told in ask.form.getall("grant", []):
            role, _, unit = told.partition(":")
            if role not in list(Role):
                continue
            units = self._departments if role == Role.DEPARTMENT else (*self._parts.sections, "")
            if unit in units:
                given[Grant(Role(role), SectionId(unit) if unit else None)] = None
        return tuple(given)

    def _noted(self, ask: Ask, what: str) -> Access:
        return Access(ask.who.login, AccessKind.PEOPLE, what[:500])

    def _back(self, account: Account, flash: str) -> web.Response:
        return seen_elsewhere(f"/people/{account.login}", flash)


def _value(grant: Grant) -> str:
    return f"{grant.role}:{grant.section}" if grant.section else grant.role.value


def _told(given: tuple[Grant, ...]) -> str:
    return ", ".join(map(_value, given)) or "no roles"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
