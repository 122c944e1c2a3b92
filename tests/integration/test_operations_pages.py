"""The operations pages over a real gate: health, maintenance, backlog, books, webhooks (K5, I3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from calls.custody import AccessKind
from calls.outages import EVERYTHING, Component
from console.ops.health import Works, healths
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.audit import SqlAudit
from storage.cases import SqlCases
from storage.outages import SqlOutages
from storage.outbox import SqlOutbox
from storage.work import SqlWork
from storage.work_states import State
from tests.support_cases import CLOCKS, ZERO, registered
from tests.support_console import ServedConsole, SetTime, served
from tests.support_operations import NOW, a_team, ring_some, something_in_the_books, with_team


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, clock=SetTime(NOW), change=with_team(a_team())) as console:
        await something_in_the_books(console.engine)
        yield console


async def noted(console: ServedConsole) -> list[str]:
    entries = await SqlAccessLog(console.engine, SetTime(NOW)).entries()
    return [each.access.reason for each in entries if each.access.kind is AccessKind.OPERATE]


async def test_health_of_every_component_with_k5_by_the_catalogue(console: ServedConsole) -> None:
    status, page = await console.get("ops", "/ops")
    assert status == 200
    assert page.count('<th scope="row">') >= len(Component)
    assert "99.871%" in page and "1728000" in page, "K5 with both sides"
    assert "数据库无法连接" in page and "线路割接" in page
    _, earlier = await console.get("ops", "/ops?period=2026-10")
    assert "数据库无法连接" not in earlier
    _, english = await console.get("ops", "/ops?period=2026-11-21&lang=en")
    assert "12:00" in english and "the database cannot be reached" in english
    for nonsense in ("x", "2026-13", "9999", "0001-01", "%00"):
        assert (await console.get("ops", f"/ops?period={nonsense}"))[0] == 200


async def test_health_of_a_component_that_is_off_unknown_out_or_in_maintenance() -> None:
    outages = await _outages_of_today()
    working = {Component.DATABASE: True, Component.TRUNK: False, Component.AGI: None, Component.DISK: False}
    hours = Settings().scheduled
    found = healths(working, [], outages, (NOW - timedelta(days=1), NOW), NOW, hours)
    works = {each.component: each.works for each in found}
    assert works[Component.DATABASE] is Works.YES
    assert works[Component.TRUNK] is Works.PLANNED
    assert works[Component.AGI] is Works.UNKNOWN
    assert works[Component.DISK] is Works.NO
    assert works[Component.TRANSCRIPTION] is Works.OFF


async def _outages_of_today() -> list[object]:
    from calls.outages import Maintenance

    return [Maintenance(NOW - timedelta(hours=1), NOW + timedelta(hours=1), frozenset({Component.TRUNK}), "x")]


async def test_maintenance_is_announced_beforehand_and_taken_back(console: ServedConsole) -> None:
    form = {"start": "2026-11-24T02:00", "end": "2026-11-24T04:00", "reason": "数据库升级"}
    assert await console.post("ops", "/ops/maintenance", form) == (303, "/ops#maintenance")
    book = SqlOutages(console.engine)
    windows = await book.maintenance(NOW, NOW + timedelta(days=2))
    mine = next(window for window in windows if window.reason == "数据库升级")
    assert mine.components == EVERYTHING and mine.starts_at.isoformat() == "2026-11-23T18:00:00+00:00"
    assert await console.post("ops", f"/ops/maintenance/{mine.number}/cancel") == (303, "/ops#maintenance")
    assert mine.number not in {w.number for w in await book.maintenance(NOW, NOW + timedelta(days=2))}
    assert len(await noted(console)) == 2
    assert (await console.post("ops", "/ops/maintenance/999999999/cancel"))[0] == 303


@pytest.mark.parametrize(
    "changed",
    [
        {"start": "nonsense"},
        {"end": "2026-11-24T01:00"},
        {"start": "2026-11-23T15:00"},
        {"reason": " "},
        {"end": ""},
    ],
)
async def test_what_was_typed_wrong_is_said_and_nothing_is_lost(
    console: ServedConsole, changed: dict[str, str]
) -> None:
    form = {"start": "2026-11-24T02:00", "end": "2026-11-24T04:00", "reason": "<b>升级</b>"} | changed
    status, page = await console.post("ops", "/ops/maintenance", form)
    assert status == 422
    assert "<b>升级" not in page
    if "reason" not in changed:
        assert "&lt;b&gt;升级&lt;/b&gt;" in page
    assert await noted(console) == []


async def test_a_leg_in_quarantine_is_tried_again_with_a_reason(console: ServedConsole) -> None:
    _, page = await console.get("ops", "/ops/backlog")
    assert "177.001" in page and "177.011" in page and "worker-1" in page and "177.021" not in page
    assert await console.post("ops", "/ops/backlog/retry", {"call": "177.001"}) == (303, "/ops/backlog")
    assert len(await SqlWork(console.engine).in_state(State.QUARANTINED)) == 1, "no reason, nothing done"
    form = {"call": "177.001", "reason": "换了模型"}
    assert await console.post("ops", "/ops/backlog/retry", form) == (303, "/ops/backlog")
    assert await SqlWork(console.engine).in_state(State.QUARANTINED) == []
    assert await noted(console) == ["transcription tried again: 换了模型"]


async def test_a_difference_of_the_books_is_settled_with_a_reason(console: ServedConsole) -> None:
    await ring_some(console.engine)
    _, page = await console.get("ops", "/ops/books")
    assert "queue log: answered; books: abandoned" in page
    assert "13900001234" not in page, "no number of a caller"
    assert page.count("177.") >= 6, "calls without a recording"
    form = {"key": "differs/177.001", "reason": "录音证实已接听"}
    assert await console.post("ops", "/ops/books/settle", form) == (303, "/ops/books")
    assert [each.key for each in await SqlAudit(console.engine).discrepancies()] == ["line/9"]
    assert (await console.post("ops", "/ops/books/settle", {"key": "nothing", "reason": "x"}))[0] == 404
    assert (await console.post("ops", "/ops/books/settle", {"key": "line/9", "reason": ""}))[0] == 303
    assert len(await noted(console)) == 1


async def test_the_access_log_is_followed_and_an_anchor_noted(console: ServedConsole) -> None:
    status, page = await console.post("ops", "/ops/books/follow")
    assert status == 200 and "完整" in page
    _, page = await console.get("ops", "/ops/books")
    assert "<code>" in page


async def test_what_was_given_up_is_sent_again(console: ServedConsole) -> None:
    outbox, cases = SqlOutbox(console.engine), SqlCases(console.engine, console.parts.zone, CLOCKS)
    await outbox.enrol("crm", ZERO)
    case = await cases.register(registered(), "key")
    await outbox.enrol("crm", ZERO)
    [delivery] = await outbox.due("crm", NOW + timedelta(days=900), 10)
    await outbox.failed(delivery, "answered 500 <script>", None)
    _, page = await console.get("ops", "/ops/webhooks")
    assert case.number in page and "&lt;script&gt;" in page
    form = {"hook": "crm", "news": str(delivery.news.id)}
    assert await console.post("ops", "/ops/webhooks/resend", form) == (303, "/ops/webhooks")
    assert await outbox.dead() == []
    assert (await outbox.due("crm", NOW + timedelta(days=900), 10))[0].news == delivery.news, "the same event id"
    assert (await console.post("ops", "/ops/webhooks/resend", {"hook": "x", "news": "y"}))[0] == 404


@pytest.mark.parametrize("login", ["agent", "monitor", "lead", "supervisor"])
async def test_nobody_else_operates(console: ServedConsole, login: str) -> None:
    for path in ("/ops", "/ops/backlog", "/ops/books", "/ops/webhooks"):
        assert (await console.get(login, path))[0] == 403
    for path in ("/ops/maintenance", "/ops/backlog/retry", "/ops/books/settle", "/ops/webhooks/resend"):
        assert (await console.post(login, path))[0] == 403
