"""Somebody of each role for ``sansheng demo``; their passwords are made anew and printed at each start (P1)."""

from __future__ import annotations

from calls.accounts import Account
from calls.custody import Access, AccessKind
from calls.errors import StorageError
from calls.ids import AgentNumber, SectionId
from calls.people import Grant, Role
from console.doorkeeper import Doorkeeper
from console.passwords import make_password
from service.cases import case_catalogue_of
from service.commands.people import doorkeeper
from service.settings import Settings

_BY = "service:demo"
_NAMES = {
    Role.AGENT: "演示座席",
    Role.MONITOR: "演示质检员",
    Role.LEAD: "演示质检主管",
    Role.SUPERVISOR: "演示科室主管",
    Role.DEPARTMENT: "演示责任部门",
    Role.OPS: "演示运维",
    Role.ADMIN: "演示管理员",
}


async def demo_people(settings: Settings) -> str:
    """Their names and passwords, as lines to be printed."""
    async with doorkeeper(settings) as keeper:
        made = [f"    {_login(role):18} {await _somebody(keeper, role, settings)}" for role in Role]
    return "\n".join(made)


async def nobody_yet(settings: Settings) -> bool:
    """Whether the console has nobody who could sign in. False if that cannot be told at the moment."""
    try:
        async with doorkeeper(settings) as keeper:
            return not await keeper.people.page(limit=1)
    except StorageError:
        return False


async def _somebody(keeper: Doorkeeper, role: Role, settings: Settings) -> str:
    login, password = _login(role), make_password()
    kept = await keeper.passwords.hash(password)
    if await keeper.people.find(login):
        noted = Access(_BY, AccessKind.PEOPLE, f"{login}: new password")
        await keeper.people.set_password(login, kept, noted, must_change=False)
        return password
    agent, unit = _place(role, settings)
    account = Account(
        login=login,
        name=_NAMES[role],
        created_at=keeper.now(),
        agent=agent,
        grants=(Grant(role, unit),),
        password_hash=kept,
    )
    await keeper.people.add(account, Access(_BY, AccessKind.PEOPLE, f"{login} added: {role}"))
    return password


def _place(role: Role, settings: Settings) -> tuple[AgentNumber | None, SectionId | None]:
    """The number on the roster, and the section or department: the first there is, for who must have one."""
    if role is Role.AGENT:
        for agent in settings.agents:
            if agent.sections:
                return AgentNumber(agent.number), SectionId(agent.sections[0])
    if role is Role.DEPARTMENT:
        return None, SectionId(next(iter(case_catalogue_of(settings).departments)))
    return None, None


def _login(role: Role) -> str:
    return f"demo-{role}"
