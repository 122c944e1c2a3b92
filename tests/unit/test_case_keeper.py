"""The keeper of clocks: warned once, escalated once, whatever the machine's clock and the service do (C4, A5)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.cases import CaseNumber
from calls.inquiries import CallerAnswered, OrderAccepted, OrderDone
from calls.people import Grant, Person, Role
from metrics.exporter import Exporter
from service.cases import CaseKeeper, CaseLedger
from service.settings import Settings
from storage.engine import open_engine
from tests.support_cases import AGENT, CHIEF, WORKER, ZERO, SetClock, dispatched, local, registered, steps
from tests.support_prepared import prepared

TS, GD = CaseNumber("TS2026-00001"), CaseNumber("GD2026-00001")
HEAD = Person("chen", "陈", (Grant(Role.SUPERVISOR),))


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(await prepared("sqlite", tmp_path))
    yield made
    await made.dispose()


class Scene:
    def __init__(self, engine: AsyncEngine, tmp_path: Path, **cases: object) -> None:
        self.settings = Settings.model_validate({"var_dir": tmp_path, "cases": cases})
        self.clock = SetClock(ZERO)
        self.exporter = Exporter(sections=[], limit_s=15, build={})
        self.ledger = CaseLedger.of(self.settings, engine)
        self.engine = engine
        self.keeper = self.restarted()

    def restarted(self) -> CaseKeeper:
        return CaseKeeper(self.settings, self.engine, self.exporter, self.clock)

    async def told(self, moment: str) -> list[tuple[str, int, str, str | None]]:
        self.clock.set(moment)
        new = await self.keeper.tell(self.clock.now())
        return [(each.step, each.level, each.role, each.login or each.unit) for each in new]

    async def gauge(self, name: str, **labels: str) -> float | None:
        await self.keeper.refresh()
        return self.exporter._registry.get_sample_value(name, labels)


@pytest.fixture
def scene(engine: AsyncEngine, tmp_path: Path) -> Scene:
    return Scene(engine, tmp_path)


async def test_the_owner_is_warned_then_the_section_then_the_whole_centre(scene: Scene) -> None:
    await scene.ledger.cases.register(registered(), "k")
    assert await scene.told("2026-11-24 15:59") == []
    assert await scene.told("2026-11-24 16:00") == [("forward", 0, "owner", "li")]
    assert await scene.told("2026-11-24 23:00") == []
    assert await scene.told("2026-11-25 00:00") == [("forward", 1, "supervisor", "complaint")]
    assert [len(await scene.ledger.notices.unseen(who)) for who in (AGENT, CHIEF, HEAD, WORKER)] == [1, 1, 1, 0]
    assert await scene.told("2026-11-26 00:00") == [("forward", 2, "supervisor", None)]
    assert [len(await scene.ledger.notices.unseen(who)) for who in (CHIEF, HEAD)] == [1, 2]


async def test_a_restart_or_a_clock_set_back_tells_nothing_twice(scene: Scene) -> None:
    await scene.ledger.cases.register(registered(), "k")
    assert len(await scene.told("2026-11-27 00:00")) == 3, "all at once, after a long stop"
    scene.keeper = scene.restarted()
    for moment in ("2026-11-27 00:01", "2026-11-23 09:00", "2026-11-27 00:02"):
        assert await scene.told(moment) == []


async def test_a_department_is_warned_of_what_it_owes(scene: Scene) -> None:
    case = await scene.ledger.cases.register(registered(), "k")
    case = await scene.ledger.cases.append(case.number, 1, steps([ZERO])[0])
    assert await scene.told("2026-11-26 16:00") == [("opinion", 0, "department", "stations")]
    (notice,) = await scene.ledger.notices.unseen(WORKER)
    assert (notice.number, notice.due_at) == (TS, local("2026-11-27 00:00"))
    for event in steps([local("2026-11-26 17:00")])[1:]:
        case = await scene.ledger.cases.append(case.number, case.version, event)
    assert await scene.told("2026-12-30 00:00") == [], "it was done: nobody is told any more"


async def test_a_promise_to_a_caller_is_warned_of_and_escalated(scene: Scene) -> None:
    order = await scene.ledger.orders.dispatch(dispatched(), "k")
    assert await scene.told("2026-11-24 01:00") == [("promise", 0, "department", "fares")]
    for event in (
        OrderAccepted(at=ZERO, by=order.created_by),
        OrderDone(at=ZERO, by=order.created_by, result="好了"),
    ):
        order = await scene.ledger.orders.append_order(GD, order.version, event)
    assert await scene.told("2026-11-24 09:00") == [("promise", 1, "supervisor", "inquiry")]
    later = CallerAnswered(at=local("2026-11-24 10:00"), by=order.created_by, told="已回电")
    await scene.ledger.orders.append_order(GD, order.version, later)
    assert await scene.told("2026-11-28 09:00") == []
    assert await scene.gauge("hotline_work_order_promises_broken") == 1
    assert await scene.gauge("hotline_work_order_promises_late") == 0


async def test_who_is_told_and_when_can_be_set(engine: AsyncEngine, tmp_path: Path) -> None:
    scene = Scene(
        engine,
        tmp_path,
        forward_days=2,
        warn_hours=1,
        escalations=[{"name": "late", "after_hours": 2, "role": "lead"}],
    )
    await scene.ledger.cases.register(registered(), "k")
    assert await scene.told("2026-11-25 22:59") == []
    assert await scene.told("2026-11-25 23:00") == [("forward", 0, "owner", "li")]
    assert await scene.told("2026-11-26 01:59") == []
    assert await scene.told("2026-11-26 02:00") == [("forward", 1, "lead", "complaint")]


async def test_open_cases_and_late_steps_are_gauges_from_the_start(scene: Scene) -> None:
    labels = {"state": "registered", "age": "day"}
    assert await scene.gauge("hotline_cases_open", **labels) == 0
    await scene.ledger.cases.register(registered(), "k")
    assert await scene.gauge("hotline_cases_open", **labels) == 1
    scene.clock.set("2026-11-26 09:00")
    assert await scene.gauge("hotline_cases_open", state="registered", age="week") == 1
    assert await scene.gauge("hotline_case_steps_late", step="forward") == 1
    assert await scene.gauge("hotline_case_steps_late", step="opinion") == 0
    assert await scene.gauge("hotline_case_clocks_unknown") == 0
    scene.clock.set("2026-12-31 09:00")
    await scene.ledger.cases.register(registered(local("2026-12-31 09:00")), "k2")
    assert await scene.gauge("hotline_case_clocks_unknown") == 1


async def test_special_days_set_while_cases_are_open_move_their_clocks(
    engine: AsyncEngine, tmp_path: Path, scene: Scene
) -> None:
    await scene.ledger.cases.register(registered(), "k")
    file = tmp_path / "days.toml"
    file.write_text("off = [2026-11-24]\n")
    other = Scene(engine, tmp_path, special_days_file=str(file))
    await other.keeper.refresh()
    assert await other.told("2026-11-24 23:00") == []
    assert await other.told("2026-11-25 16:00") == [("forward", 0, "owner", "li")]


async def test_a_catalogue_changed_without_a_new_version_is_said(
    scene: Scene, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.keeper.refresh()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE case_catalogues SET text = 'another'"))
    with caplog.at_level(logging.ERROR):
        await scene.restarted().refresh()
    assert [record.message for record in caplog.records] == ["cases.catalogue_changed"]


async def test_a_database_that_is_away_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    empty = open_engine(f"sqlite:///{tmp_path}/empty.db")
    await Scene(empty, tmp_path).keeper.refresh()
    assert [record.message for record in caplog.records] == ["cases.unavailable"]
    await empty.dispose()


async def test_nothing_personal_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.ledger.cases.register(registered(), "k")
    with caplog.at_level(logging.INFO):
        await scene.told("2026-11-27 00:00")
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "TS2026-00001" in said and "13800138000" not in said and "张三" not in said
