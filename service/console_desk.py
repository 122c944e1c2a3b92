"""The agents' desk joined: books in the back room, telephones and call-backs on the service's own loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import Attempt, CallBack
from calls.desk import DeskNow
from calls.errors import AmiLinkDown, CallbackError
from calls.filing import UnfiledCall
from calls.ids import AgentNumber, SectionId
from calls.live import AgentNow, AgentState, LinkNow
from calls.ports import Clock
from cases.office import CaseOffice
from console.desk.filing import Filer
from console.desk.ports import CallbackDesk, DeskParts, Desks, Telephones
from ivr.ami.link import AmiLink
from service.callbacks import CallbackDesk as ServiceCallbacks
from service.cases import CaseLedger, case_catalogue_of
from service.main_loop import MainLoop
from service.settings import Settings
from service.telephones import CallbacksElsewhere, LinkTelephones
from storage.desk_books import SqlDeskBooks


@dataclass(frozen=True, slots=True)
class AtTelephones:
    """What only a service that runs can give the desks."""

    desks: Desks
    telephones: Telephones
    callbacks: CallbackDesk


class _Nobody:
    """Stands in where no service runs: no call is at any telephone, and nothing can be dialled."""

    async def read(self, agent: AgentNumber, login: str) -> DeskNow:
        """Nobody is logged in."""
        now = datetime.now(UTC)
        return DeskNow(at=now, link=LinkNow.DOWN, agent=AgentNow(agent, AgentState.LOGGED_OUT, now))

    async def changes(self, agent: AgentNumber, login: str) -> AsyncGenerator[DeskNow, None]:
        """Once."""
        yield await self.read(agent, login)

    async def log_in(self, agent: AgentNumber) -> None:
        raise AmiLinkDown("there is no Asterisk here")

    async def log_out(self, agent: AgentNumber) -> None:
        raise AmiLinkDown("there is no Asterisk here")

    async def pause(self, agent: AgentNumber, reason: str) -> None:
        raise AmiLinkDown("there is no Asterisk here")

    async def unpause(self, agent: AgentNumber) -> None:
        raise AmiLinkDown("there is no Asterisk here")

    async def waiting(self, sections: Collection[SectionId] | None = None) -> list[CallBack]:
        return []

    async def get(self, number: int) -> CallBack | None:
        return None

    async def attempts(self, number: int) -> list[Attempt]:
        return []

    async def together(self, callback: CallBack) -> list[CallBack]:
        return []

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        return {}

    async def take_next(self, agent: AgentNumber) -> CallBack | None:
        return None

    async def take(self, number: int, agent: AgentNumber) -> CallBack:
        raise CallbackError("there is no Asterisk here")

    async def let_go(self, number: int, actor: str) -> CallBack:
        raise CallbackError("there is no Asterisk here")

    async def give_up(self, number: int, actor: str, why: str) -> CallBack:
        raise CallbackError("there is no Asterisk here")

    async def again(self, number: int, actor: str) -> CallBack:
        raise CallbackError("there is no Asterisk here")

    async def dial(self, number: int, agent: AgentNumber) -> Attempt:
        raise CallbackError("there is no Asterisk here")

    async def promise(self, call: UnfiledCall, telephone: str, due_at: datetime) -> CallBack:
        raise CallbackError("there is no Asterisk here")


_NOBODY = _Nobody()
NOBODY_THERE = AtTelephones(_NOBODY, _NOBODY, _NOBODY)
"""For a console without a service: every page is there, and quiet."""


def at_telephones(
    settings: Settings, desks: Desks, link: AmiLink, callbacks: ServiceCallbacks, clock: Clock
) -> AtTelephones:
    """What is at the telephones of a service that runs; called on the loop that its link runs on."""
    loop = MainLoop()
    loop.begin()
    telephones = LinkTelephones(link, settings.agents, loop)
    return AtTelephones(desks, telephones, CallbacksElsewhere(callbacks, clock, loop))


def desk_parts(settings: Settings, engine: AsyncEngine, clock: Clock, live: AtTelephones) -> DeskParts:
    """What the agents' pages are made from; the books belong to the engine's loop. Raises SettingsError."""
    books, catalogue, ledger = SqlDeskBooks(engine), case_catalogue_of(settings), CaseLedger.of(settings, engine)
    office = CaseOffice(ledger.cases, catalogue, clock)
    return DeskParts(
        desks=live.desks,
        telephones=live.telephones,
        books=books,
        filing=Filer(office, ledger.orders, books, live.callbacks, clock),
        callbacks=live.callbacks,
        catalogue=catalogue,
    )
