"""What the console does at Asterisk: agents' states and call-backs; asked in the back room, done elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from calls.callbacks import Attempt, CallBack, NewCallback, Origin
from calls.errors import AmiLinkDown
from calls.filing import UnfiledCall
from calls.ids import AgentNumber, SectionId
from calls.ports import Clock
from ivr.ami.link import AmiLink
from service.agents import log_in, log_out, pause, unpause
from service.callbacks import DEFAULT_LANGUAGE, CallbackDesk
from service.main_loop import MainLoop
from service.settings import Agent


class LinkTelephones:
    """See ``console.desk.ports.Telephones``: the actions of ``sansheng agent`` over the service's own link.

    Every action raises AmiError; AmiLinkDown for an agent who is not on the roster.
    """

    def __init__(self, link: AmiLink, roster: Iterable[Agent], loop: MainLoop) -> None:
        self._link = link
        self._roster = {AgentNumber(agent.number): agent for agent in roster}
        self._loop = loop

    async def log_in(self, agent: AgentNumber) -> None:
        """Into every queue of theirs, ready for calls."""
        await self._loop.run(log_in(self._link, self._known(agent)))

    async def log_out(self, agent: AgentNumber) -> None:
        """Out of every queue."""
        await self._loop.run(log_out(self._link, self._known(agent)))

    async def pause(self, agent: AgentNumber, reason: str) -> None:
        """No calls for now."""
        await self._loop.run(pause(self._link, self._known(agent), reason))

    async def unpause(self, agent: AgentNumber) -> None:
        """Calls again."""
        await self._loop.run(unpause(self._link, self._known(agent)))

    def _known(self, agent: AgentNumber) -> Agent:
        if agent not in self._roster:
            raise AmiLinkDown(f"agent {agent} is not on the roster")
        return self._roster[agent]


class CallbacksElsewhere:
    """See ``console.desk.ports.CallbackDesk``."""

    def __init__(self, desk: CallbackDesk, clock: Clock, loop: MainLoop) -> None:
        self._desk = desk
        self._clock = clock
        self._loop = loop

    async def waiting(self, sections: Collection[SectionId] | None = None) -> list[CallBack]:
        """The open ones in the order in which they are called."""
        return await self._loop.run(self._desk.waiting(sections))

    async def get(self, number: int) -> CallBack | None:
        """One of them."""
        return await self._loop.run(self._desk.get(number))

    async def attempts(self, number: int) -> list[Attempt]:
        """Every attempt of one, in order."""
        return await self._loop.run(self._desk.attempts(number))

    async def together(self, callback: CallBack) -> list[CallBack]:
        """The others of the same number that one dialling serves with it."""
        return await self._loop.run(self._desk.together(callback))

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        """Who of these has called again since they are on the list, and when last."""
        return await self._loop.run(self._desk.called_again(listed))

    async def take_next(self, agent: AgentNumber) -> CallBack | None:
        """Give an agent the first in line whose time has come."""
        return await self._loop.run(self._desk.take_next(agent))

    async def take(self, number: int, agent: AgentNumber) -> CallBack:
        """Give an agent this one."""
        return await self._loop.run(self._desk.take(number, agent))

    async def let_go(self, number: int, actor: str) -> CallBack:
        """Back into the list."""
        return await self._loop.run(self._desk.let_go(number, actor))

    async def give_up(self, number: int, actor: str, why: str) -> CallBack:
        """Nobody will call."""
        return await self._loop.run(self._desk.give_up(number, actor, why))

    async def again(self, number: int, actor: str) -> CallBack:
        """Who answered was not who waits for it."""
        return await self._loop.run(self._desk.again(number, actor))

    async def dial(self, number: int, agent: AgentNumber) -> Attempt:
        """Ring the agent, then the caller."""
        return await self._loop.run(self._desk.dial(number, agent))

    async def promise(self, call: UnfiledCall, telephone: str, due_at: datetime) -> CallBack:
        """A call back that the desk has promised; for the same call the same. Raises NumberRefused."""
        now = self._clock.now()
        new = NewCallback(
            origin=Origin.PROMISE,
            about=call.call_id,
            telephone=self._desk.numbers.checked(telephone),
            language=call.language or DEFAULT_LANGUAGE,
            due_at=due_at,
            place=now,
            section=call.section,
            call_id=call.call_id,
            priority=call.priority,
        )
        return await self._loop.run(self._desk.book.enlist(new, now))
