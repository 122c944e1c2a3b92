"""The list of call-backs, the desk and the keeper for tests, with a link that notes what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import CallBack, NewCallback, Origin
from calls.cases import CaseNumber
from calls.events import CallbackStep, CallbackStepped, Source
from calls.ids import AgentNumber, Language, SectionId, attempt_id
from calls.live import AgentNow, AgentState, LinkNow, Picture, QueueNow
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.wire import AmiMessage
from metrics.exporter import Exporter
from service.callback_list import CallbackKeeper
from service.callbacks import CallbackDesk
from service.settings import Settings
from storage.follow_ups import FollowUp
from storage.ledger import SqlLedger
from tests.support_books import SetClock
from tests.support_ledger import story

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)
"""In Shanghai, and so within the hours."""
NIGHT = NOON + timedelta(hours=11)
ONE, OTHER = AgentNumber("1001"), AgentNumber("1002")
INQUIRY = SectionId("inquiry")


def follow_up(section: SectionId, place: datetime, due_at: datetime) -> NewCallback:
    """Somebody to be called back, whoever it is."""
    return NewCallback(
        origin=Origin.FOLLOW_UP,
        about="a test",
        telephone="13900001234",
        language=Language("zh-CN"),
        due_at=due_at,
        place=place,
        section=section,
    )


@dataclass
class NotingLink:
    """Notes actions, and has the channels that it is given."""

    state: LinkState = LinkState.UP
    actions: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    channels: list[dict[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    async def call(self, action: str, fields: Any = (), *, timeout_s: float = 5.0) -> AmiMessage:
        self.actions.append((action, dict(fields)))
        if self.fails:
            raise self.fails
        return AmiMessage.of({"Response": "Success"})

    async def query(self, action: str, fields: Any = (), **_: object) -> list[AmiMessage]:
        return [AmiMessage.of(channel) for channel in self.channels]


@dataclass
class Office:
    """The list, the desk and the keeper of a hotline with a trunk that calls can go to."""

    engine: AsyncEngine
    settings: Settings
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))
    link: NotingLink = field(default_factory=NotingLink)
    picture: Picture = field(default_factory=lambda: Picture(NOON, LinkNow.UP))
    owed: int = 0
    late: list[tuple[int, int, tuple[CallbackStep, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        exporter = Exporter(sections=[INQUIRY], limit_s=15, build={"version": "test"})
        link = cast("AmiLink", self.link)
        self.desk = CallbackDesk(self.settings, self.engine, link, self.clock, exporter)
        self.keeper = CallbackKeeper(
            self.settings,
            self.desk,
            self.clock,
            exporter,
            lambda: self.picture,
            on_open=lambda number: setattr(self, "owed", number),
            caught_up=self.catch_up,
        )
        self.ledger = SqlLedger(self.engine)

    async def catch_up(self) -> None:
        """What the file tells later than the link."""
        late, self.late = self.late, []
        for callback, attempt, steps in late:
            await self.told(callback, attempt, *steps)

    async def promised(self, call_id: str = "1.1", **more: Any) -> CallBack:
        """A caller in the queue was promised a call back; it is on the list."""
        changes = await self.ledger.record(story(call_id, asked=5, promised=60, ended=62, start=NOON, **more))
        for change in changes:
            self.keeper.on_change(change)
        await self.keeper.look()
        (listed,) = await self.desk.of_call(cast("Any", call_id))
        return listed

    async def told(self, callback: int, attempt: int, *steps: CallbackStep, said: str = "") -> None:
        await self.ledger.record(
            [
                CallbackStepped(
                    call_id=attempt_id(callback, attempt),
                    at=self.clock.now(),
                    source=Source.FILE,
                    step=step,
                    said=said if step is CallbackStep.RESULT else "",
                )
                for step in steps
            ]
        )

    def ready(self, *agents: AgentNumber, waiting: int = 0) -> None:
        """These agents have nothing to do, the first for the longest."""
        self.picture = Picture(
            self.clock.now(),
            LinkNow.UP,
            agents=tuple(
                AgentNow(agent, AgentState.READY, NOON + timedelta(seconds=number), sections=(INQUIRY,))
                for number, agent in enumerate(agents)
            ),
            queues=(QueueNow(INQUIRY, waiting, len(agents)),),
        )


DIALS = {"trunks": [{"name": "city", "match": "127.0.0.2", "dial": "127.0.0.3"}]}


def told(nth: int = 7, **fields: Any) -> FollowUp:
    """A case whose complainant was told its result and is to be asked."""
    given: dict[str, Any] = {
        "number": CaseNumber("TS2026-00001"),
        "nth": nth,
        "contact": "13800138000",
        "section": INQUIRY,
        "language": None,
        "key_customer": False,
        "since": NOON,
        "due_at": NOON + timedelta(days=1),
        "callback": None,
    }
    return FollowUp(**given | fields)
