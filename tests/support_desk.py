"""A desk for tests: the real screen pop, books and filing; telephones and call-backs that a test plays itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from calls.callbacks import Attempt, CallBack, NewCallback, Origin, Policy
from calls.errors import AmiTimeout, CallbackError
from calls.events import AnyEvent, CallArrived, PersonAsked
from calls.filing import UnfiledCall
from calls.ids import AgentNumber, Language, SectionId
from calls.outages import DailyHours
from calls.ports import Clock
from cases.catalogue import read_catalogue
from cases.clocks import Clocks
from cases.office import CaseOffice
from console.areas.callbacks import CallbackArea
from console.areas.day import DayArea
from console.areas.desk import DeskArea
from console.areas.login import Login
from console.desk.filing import Filer
from console.desk.ports import DeskParts
from console.parts import Parts
from console.routes import Area
from ivr.ami.wire import AmiMessage
from ivr.snapshot import AgentBoard
from service.dossiers import Dossiers
from service.screen_pop import ScreenPop
from storage.access import SqlAccessLog
from storage.callbacks import SqlCallbacks
from storage.callers import SqlCallers
from storage.cases import SqlCases
from storage.desk_books import SqlDeskBooks
from storage.ledger import SqlLedger
from storage.same_number import SqlSameNumber
from storage.work_orders import SqlOrders
from tests.support_cases import CALENDAR
from tests.support_ledger import CALLER, Ring, story

ANNE, BO = AgentNumber("1001"), AgentNumber("2001")
INQUIRY = SectionId("inquiry")


class SameRoom:
    """A back room that is the loop itself."""

    async def run(self, work):  # type: ignore[no-untyped-def]
        return await work


@dataclass
class Telephones:
    """Does what it is told to the board, as Asterisk would; or nothing at all."""

    board: AgentBoard
    pop: ScreenPop
    clock: Clock
    silent: bool = False

    async def log_in(self, agent: AgentNumber) -> None:
        self._is(agent, "QueueMemberAdded", "1", "0", "")

    async def log_out(self, agent: AgentNumber) -> None:
        self._is(agent, "QueueMemberRemoved", "1", "0", "")

    async def pause(self, agent: AgentNumber, reason: str) -> None:
        self._is(agent, "QueueMemberPause", "1", "1", reason)

    async def unpause(self, agent: AgentNumber) -> None:
        self._is(agent, "QueueMemberPause", "1", "0", "")

    def in_talk(self, agent: AgentNumber) -> None:
        """The telephone is in use."""
        self._is(agent, "QueueMemberStatus", "2", "0", "")

    def _is(self, agent: AgentNumber, event: str, status: str, paused: str, reason: str) -> None:
        if self.silent:
            raise AmiTimeout("no reply within 5 s")
        told = {"Event": event, "MemberName": agent, "Queue": INQUIRY, "Status": status, "Paused": paused}
        self.board.apply(AmiMessage.of(told | {"PausedReason": reason}), self.clock.now())
        self.pop.agent_changed(agent)


class CallbackList:
    """The real list; what is dialled is answered as the test says."""

    def __init__(self, book: SqlCallbacks, alike: SqlSameNumber, clock: Clock) -> None:
        self.book = book
        self.alike = alike
        self._clock = clock
        self.dialled: list[int] = []
        self.policy = Policy(DailyHours.parse("00:00-24:00", CALENDAR.zone), 3, [timedelta(minutes=5)])

    async def waiting(self, sections: Collection[SectionId] | None = None) -> list[CallBack]:
        return await self.book.waiting(sections)

    async def get(self, number: int) -> CallBack | None:
        return await self.book.get(number)

    async def attempts(self, number: int) -> list[Attempt]:
        return await self.book.attempts(number)

    async def together(self, callback: CallBack) -> list[CallBack]:
        return await self.alike.together(callback)

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        return await self.alike.called_again(listed)

    async def take_next(self, agent: AgentNumber) -> CallBack | None:
        return await self.book.in_hand(agent) or await self.book.take_next(agent, None, self._clock.now())

    async def take(self, number: int, agent: AgentNumber) -> CallBack:
        return await self.book.take(number, agent, None, self._clock.now(), "chosen")

    async def let_go(self, number: int, actor: str) -> CallBack:
        before = await self._known(number)
        return await self.book.move(before, before.let_go(self._clock.now()), actor, "let_go")

    async def give_up(self, number: int, actor: str, why: str) -> CallBack:
        before = await self._known(number)
        return await self.book.move(before, before.given_up(why, self._clock.now()), actor, why)

    async def again(self, number: int, actor: str) -> CallBack:
        before = await self._known(number)
        return await self.book.move(before, before.again(self.policy, self._clock.now()), actor, "again")

    async def dial(self, number: int, agent: AgentNumber) -> Attempt:
        self.dialled.append(number)
        return await self.book.begin(await self._known(number), "test", self._clock.now())

    async def promise(self, call: UnfiledCall, telephone: str, due_at: datetime) -> CallBack:
        return await self.enlist(call.call_id, telephone, due_at)

    async def enlist(self, about: str, telephone: str, due_at: datetime, priority: bool = False) -> CallBack:
        now = self._clock.now()
        new = NewCallback(
            origin=Origin.PROMISE,
            about=about,
            telephone=telephone,
            language=Language("zh-CN"),
            due_at=due_at,
            place=now,
            section=INQUIRY,
            priority=priority,
        )
        return await self.book.enlist(new, now)

    async def _known(self, number: int) -> CallBack:
        callback = await self.book.get(number)
        if callback is None:
            raise CallbackError("there is none")
        return callback


@dataclass
class DeskStage:
    """Puts a desk into a served console, and plays Asterisk to it."""

    clock: Clock
    pop: ScreenPop = field(init=False)
    parts: Parts = field(init=False)
    telephones: Telephones = field(init=False)
    callbacks: CallbackList = field(init=False)
    ledger: SqlLedger = field(init=False)

    def areas(self, parts: Parts) -> Iterable[Area]:
        """For ``served(areas=…)``."""
        desk = self.desk(parts)
        return [Login(parts), DeskArea(parts, desk), CallbackArea(parts, desk), DayArea(parts, desk)]

    def desk(self, parts: Parts) -> DeskParts:
        """What desks' pages are made from."""
        engine, clock, zone = parts.engine, self.clock, parts.zone
        self.parts, self.ledger = parts, SqlLedger(engine)
        board = AgentBoard([ANNE, BO], 10, clock.now())
        accesses = SqlAccessLog(engine, clock)
        look_up = Dossiers(SameRoom(), SqlCallers(engine), clock).look_up  # type: ignore[arg-type]
        self.pop = ScreenPop(board, look_up, self.ledger.events, accesses.note, clock)
        self.telephones = Telephones(board, self.pop, clock)
        self.callbacks = CallbackList(SqlCallbacks(engine), SqlSameNumber(engine), clock)
        catalogue, books = read_catalogue(), SqlDeskBooks(engine)
        office = CaseOffice(SqlCases(engine, zone, Clocks(CALENDAR)), catalogue, clock)
        return DeskParts(
            desks=self.pop,
            telephones=self.telephones,
            books=books,
            filing=Filer(office, SqlOrders(engine, zone), books, self.callbacks, clock),
            callbacks=self.callbacks,
            catalogue=catalogue,
        )

    async def happen(self, events: Iterable[AnyEvent]) -> None:
        """Told by the manager interface, and stored a moment later."""
        told = [_of_inquiry(event) for event in events]
        for event in told:
            self.pop.hear(event)
        for change in await self.ledger.record(told):
            self.pop.on_change(change)

    def call(self, call_id: str, *, ago_s: float = 60, talk: bool = True, over: bool = False) -> list[AnyEvent]:
        """A call to Anne that arrived a while ago: it rings, or is in talk, or is over."""
        ends = 30 if over else None
        ring = Ring(ANNE, 6, 8, 8.5, ends) if talk else Ring(ANNE, 6, ended=ends)
        start = self.clock.now() - timedelta(seconds=ago_s)
        return story(call_id, start=start, asked=5, rings=[ring], ended=ends)


def _of_inquiry(event: AnyEvent) -> AnyEvent:
    return replace(event, section=INQUIRY) if isinstance(event, PersonAsked) else event


__all__ = ["ANNE", "BO", "CALLER", "CallArrived", "DeskStage"]
