"""A promise made in a call is judged by what is on the books, whenever it comes there, on both databases (A5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import NewCallback, Origin
from calls.case_events import CaseLinked, CaseUnlinked
from calls.cases import LinkKind, Login
from calls.explanations import Reason
from calls.ids import CallId, Language
from calls.inquiries import OrderCancelled
from calls.verdicts import Outcome, Verdict
from qa.rules.examples import spoken
from service.settings import Settings
from service.transcribing import Transcriber
from storage.callbacks import SqlCallbacks
from storage.cases import SqlCases
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from storage.work import JUDGEMENT, SqlWork
from storage.work_orders import SqlOrders
from storage.work_states import State
from tests.support_cases import CLOCKS, SHANGHAI, ZERO, SetClock, asked, dispatched, registered
from tests.support_ledger import Ring, story
from tests.support_prepared import dropped, prepared

CALL = CallId("hotline-1.1")
LI = Login("li")
PROMISED = ("agent: 我们三天内给您答复",)
ANSWERED = ("agent: 您好", "caller: 您好")


@dataclass
class House:
    """A call that is transcribed and waits to be judged, and the books on which something may be filed for it."""

    settings: Settings
    engine: AsyncEngine
    clock: SetClock

    def __post_init__(self) -> None:
        self.work = SqlWork(self.engine)
        self.orders = SqlOrders(self.engine, SHANGHAI)
        self.cases = SqlCases(self.engine, SHANGHAI, CLOCKS)
        self.callbacks = SqlCallbacks(self.engine)
        self.worker = Transcriber(self.settings, self.clock, "one")

    async def call(self, *lines: str) -> None:
        rings = [Ring("1001", rang=2, answered=5, connected=5.5, ended=40)]
        await SqlLedger(self.engine).record(story(CALL, start=ZERO, asked=1, rings=rings, ended=40))
        for leg in spoken(lines, "zh-CN").transcript.legs:
            await SqlTranscripts(self.engine).store(CALL, leg)
        await self.work.owe(CALL, ZERO)
        for each in await self.work.of_call(CALL):
            if each.leg is not JUDGEMENT:
                await self.work.finish(CALL, each.leg, State.DONE)

    async def swept(self) -> int:
        """What the sweeper finds is done by a worker; how much it was."""
        self.clock.pass_(seconds=90)
        owed = await self.work.unsent(self.clock.now(), timedelta(seconds=60), 10, 5)
        for each in owed:
            await self.worker.do(each.call_id, each.leg, alone=False)
        return len(owed)

    async def said(self) -> tuple[Outcome, Reason, int]:
        """What stands of the promise, after a sweep."""
        await self.swept()
        verdict = await self.verdict()
        return verdict.outcome, verdict.explanation.reason, verdict.revision

    async def verdict(self) -> Verdict:
        found = await SqlVerdicts(self.engine).standing(CALL)
        return next(each for each in found if each.rule == "promise-kept")

    async def promise_call_back(self) -> None:
        new = NewCallback(
            origin=Origin.PROMISE,
            about=CALL,
            telephone="13800138000",
            language=Language("zh-CN"),
            due_at=ZERO + timedelta(days=3),
            place=ZERO,
            call_id=CALL,
        )
        await self.callbacks.enlist(new, self.clock.now())


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    url = await prepared(request.param, tmp_path)
    engine = open_engine(url)
    yield House(Settings(var_dir=tmp_path, database_url=url), engine, SetClock())
    await engine.dispose()
    dropped(url)


async def test_what_is_filed_or_withdrawn_later_counts_and_history_is_kept(house: House) -> None:
    await house.call(*PROMISED)
    assert await house.said() == (Outcome.CANNOT_JUDGE, Reason.PROMISE_UNKNOWN, 1), "nothing is filed yet"

    await house.orders.file(asked(call_id=CALL), "1")
    assert await house.said() == (Outcome.BROKEN, Reason.PROMISE_NOT_ON_BOOKS, 2), "filed as answered"

    order = await house.orders.dispatch(dispatched(call_id=CALL), "2")
    assert await house.said() == (Outcome.KEPT, Reason.PROMISE_ON_BOOKS, 3)

    await house.orders.append_order(order.number, order.version, OrderCancelled(at=ZERO, by=LI, why="弄错了"))
    assert await house.said() == (Outcome.BROKEN, Reason.PROMISE_NOT_ON_BOOKS, 4)

    await house.promise_call_back()
    assert await house.said() == (Outcome.KEPT, Reason.PROMISE_ON_BOOKS, 5)

    (callback,) = await house.callbacks.of_call(CALL)
    await house.callbacks.move(callback, callback.withdrawn("", house.clock.now()), "li", "")
    assert await house.said() == (Outcome.BROKEN, Reason.PROMISE_NOT_ON_BOOKS, 6)

    case = await house.cases.register(registered(call_id=CALL), "3")
    assert await house.said() == (Outcome.KEPT, Reason.PROMISE_ON_BOOKS, 7)

    earlier = await SqlVerdicts(house.engine).earlier(CALL)
    assert [(each.rule, each.revision) for each in earlier] == [("promise-kept", n) for n in range(1, 7)]
    assert [each.outcome for each in earlier][:3] == [Outcome.CANNOT_JUDGE, Outcome.BROKEN, Outcome.KEPT]

    link = CaseLinked(at=ZERO, by=LI, link=LinkKind.CALL, ref=CALL)
    unlink = CaseUnlinked(at=ZERO, by=LI, link=LinkKind.CALL, ref=CALL)
    case = await house.cases.append(case.number, case.version, unlink)
    assert (await house.said())[0] is Outcome.BROKEN
    await house.cases.append(case.number, case.version, link)
    assert (await house.said())[0] is Outcome.KEPT


async def test_judging_again_what_has_not_changed_changes_nothing(house: House) -> None:
    await house.call(*PROMISED)
    await house.promise_call_back()
    await house.swept()
    before = await SqlVerdicts(house.engine).verdicts(CALL)
    await house.orders.file(asked(call_id=CALL), "1")
    assert await house.swept() == 1, "it may have changed: it is looked at"
    assert await SqlVerdicts(house.engine).verdicts(CALL) == before
    assert await SqlVerdicts(house.engine).earlier(CALL) == []
    await house.orders.file(asked(call_id=CALL), "1")  # the same once more
    await house.promise_call_back()
    assert await house.swept() == 0


async def test_a_call_without_a_promise_is_not_judged_again(house: House) -> None:
    await house.call(*ANSWERED)
    await house.swept()
    await house.orders.file(asked(call_id=CALL), "1")
    assert await house.swept() == 0


async def test_who_judges_while_something_is_filed_does_not_have_the_last_word(house: House) -> None:
    """A worker has read the books, then something is filed, then the worker writes what it found."""
    await house.call(*PROMISED)
    slow = await house.work.claim(CALL, JUDGEMENT, "slow")
    assert slow
    await house.promise_call_back()
    assert await house.work.claim(CALL, JUDGEMENT, "other"), "it was taken away"
    await house.work.finish_judgement(slow, State.DONE)
    assert (await house.work.of_call(CALL))[-1].state is State.OWED, "and is owed, as the slow one wrote last"
    assert (await house.said())[0] is Outcome.KEPT
    assert await house.swept() == 0
