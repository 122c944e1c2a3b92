"""K4 and K7 as pages, gauges, reports and the API get them: from the books of cases, settled when they are."""

from __future__ import annotations

from pathlib import Path

from calls.ids import CallId
from calls.measures import Dimension
from calls.periods import Grain, Period
from calls.ports import Tallies, Tally
from service.books import kpi_figures_of
from service.settings import Settings
from storage.cases import SqlCases
from storage.engine import open_engine
from storage.promises import promise_on_record
from storage.work_orders import SqlOrders
from tests.support_cases import CLOCKS, SHANGHAI, SetClock, asked, dispatched, local, registered, steps
from tests.support_prepared import prepared

NOVEMBER = Period.containing(local("2026-11-10 00:00"), Grain.MONTH, SHANGHAI)
KPIS = ("K4", "K7t", "K7s")


async def test_figures_of_cases_are_real_and_settle_each_in_its_own_time(tmp_path: Path) -> None:
    address = await prepared("sqlite", tmp_path)
    engine, clock = open_engine(address), SetClock(local("2026-11-30 12:00"))
    orders, cases = SqlOrders(engine, SHANGHAI), SqlCases(engine, SHANGHAI, CLOCKS)
    await orders.file(asked(call_id=CallId("h-1.1")), "1")
    await orders.file(asked(call_id=CallId("h-2.2")), "2", dispatched(call_id=CallId("h-2.2")))
    case = await cases.register(registered(local("2026-11-23 09:00")), "k")
    for event in steps([local("2026-11-23 10:00"), local("2026-11-27 10:00")], close=False):
        case = await cases.append(case.number, case.version, event)
    figures = kpi_figures_of(Settings(var_dir=tmp_path, database_url=address), engine, clock)
    found = {each.kpi: each for each in await figures.figures(KPIS, [NOVEMBER])}
    told = {name: (each.numerator, each.denominator, each.provisional) for name, each in found.items()}
    assert told == {"K4": (1, 2, True), "K7t": (4, 5, True), "K7s": (1, 1, True)}
    clock.set("2026-12-03 12:00")
    settled = {each.kpi: each.provisional for each in await figures.figures(KPIS, [NOVEMBER])}
    assert settled == {"K4": False, "K7t": True, "K7s": True}, "the complaint is open"
    by_section = await figures.figures(["K4"], [NOVEMBER], by=Dimension.SECTION)
    assert [(each.slice.section, each.denominator) for each in by_section] == [("complaint", 0), ("inquiry", 2)]
    await cases.append(case.number, case.version, steps([local("2026-12-03 12:00")])[-1])
    assert not any(each.provisional for each in await figures.figures(KPIS, [NOVEMBER]))
    assert [await promise_on_record(engine, CallId(call)) for call in ("h-1.1", "h-2.2", "h-9.9")] == [
        False,
        True,
        None,
    ]
    await engine.dispose()


def test_two_sources_keep_what_each_of_them_knows() -> None:
    one = Tallies({Tally.RATED: 3.0}, frozenset({Tally.RATED}))
    other = Tallies({Tally.INQUIRIES: 2.0})
    both = one | other
    assert (both.of(Tally.RATED), both.of(Tally.INQUIRIES)) == (3, 2)
    assert both.settled == {Tally.RATED}
