"""The administrator's pages over a real gate: menu, rules, retention, holds, custody, settings (P1, P2)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from calls.ids import CallId
from console.admin.menu_tree import Branch, MenuTree
from ivr.menu.linter import lint
from ivr.menu.loader import HOTLINE, parse_menu, read_menu
from service.configuration import shown_settings
from service.settings import Settings
from storage.access import SqlAccessLog, SqlHolds
from tests.support_console import ServedConsole, SetTime, served
from tests.support_operations import NOW
from tests.support_quality import put_call


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, clock=SetTime(NOW)) as console:
        yield console


async def test_the_menu_is_drawn_with_every_node_once(console: ServedConsole) -> None:
    status, page = await console.get("admin", "/admin/menu")
    assert status == 200
    for node in read_menu(HOTLINE).nodes:
        assert page.count(f'id="node-{node}"') == 1, node
    assert "您好，欢迎致电服务热线" in page
    _, english = await console.get("admin", "/admin/menu?in=en&lang=en")
    assert "Complaints and suggestions" in english


def test_a_broken_menu_is_drawn_with_its_findings_beside_its_nodes() -> None:
    text = HOTLINE.read_text(encoding="utf-8").replace('next = "language"', 'next = "nowhere"', 1)
    menu = parse_menu(text, "broken.toml")
    findings = lint(menu, {})
    roots = MenuTree(menu, "zh-CN", {}, findings).roots()
    found = list(_all(roots))
    assert {branch.id for branch in found if branch.kind and not branch.refers} == set(menu.nodes)
    assert next(branch for branch in found if not branch.kind).id == "nowhere"
    assert any("does not exist" in finding for branch in found for finding in branch.findings)
    assert len(roots) > 1, "what nothing leads to is shown all the same"


def test_a_menu_that_goes_round_in_circles_is_drawn_and_ends() -> None:
    text = HOTLINE.read_text(encoding="utf-8").replace('start = "welcome"', 'start = "nothing"', 1)
    menu = parse_menu(text, "lost.toml")
    found = list(_all(MenuTree(menu, "en", {}, []).roots()))
    assert {branch.id for branch in found if branch.kind and not branch.refers} == set(menu.nodes)


def _all(branches: list[Branch] | tuple[Branch, ...]) -> list[Branch]:
    return [each for branch in branches for each in (branch, *_all(branch.branches))]


async def test_the_menu_is_walked_as_a_caller_would(console: ServedConsole) -> None:
    _, page = await console.get("admin", "/admin/menu/try?keys=12&in=zh-CN&at=2026-11-23T10:00")
    assert "投诉处理科 人工" in page
    _, page = await console.get("admin", "/admin/menu/try?keys=1+-+-+-&lang=en")
    assert "no more tries" in page
    for query in ("keys=12x", "keys=" + "1" * 61, "at=never", "at=9999-12-31T23:59", "in=xx", "keys=%3Cb%3E"):
        status, page = await console.get("admin", f"/admin/menu/try?{query}")
        assert status == 200 and "<b>" not in page


async def test_every_rule_with_its_examples_and_how_it_judged(console: ServedConsole) -> None:
    _, page = await console.get("admin", "/admin/rules")
    assert "/admin/rules/zh-CN/1/greeting" in page and "未通过" not in page, "every example passes"
    assert 'href="/calls?' not in page, "an administrator hears no calls"
    status, rule = await console.get("lead", "/admin/rules/zh-CN/1/greeting")
    assert status == 200 and "通过" in rule
    for wrong in ("zh-CN/1/nothing", "zh-CN/9/greeting", "xx/1/greeting", "..%2F..%2Fetc/1/greeting"):
        assert (await console.get("admin", f"/admin/rules/{wrong}"))[0] == 404


async def test_a_hold_is_placed_kept_and_released_each_on_record(console: ServedConsole) -> None:
    await put_call(console.engine, "200.1", arrived=NOW - timedelta(days=200))
    _, page = await console.get("admin", "/admin/retention")
    assert "/admin/custody?call=200.1" in page, "it is due"
    assert re.search(
        r'call=200.1">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+</a> <small title="200.1">#1</small>', page
    ), "by time"
    form = {"call": "200.1", "reason": "法院调取 <script>"}
    assert await console.post("admin", "/admin/holds", form) == (303, "/admin/holds")
    holds = SqlHolds(console.engine)
    assert [(hold.call_id, hold.by) for hold in await holds.standing()] == [("200.1", "admin")]
    _, page = await console.get("admin", "/admin/retention")
    assert "/admin/custody?call=200.1" not in page, "nothing of it is due any more"
    _, page = await console.get("admin", "/admin/holds")
    assert "&lt;script&gt;" in page and "<script>" not in page.split("<main", 1)[1]
    form = {"call": "200.1", "reason": "案件终结"}
    assert await console.post("admin", "/admin/holds/release", form) == (303, "/admin/holds")
    assert await holds.standing() == []
    entries = await SqlAccessLog(console.engine, SetTime(NOW)).entries(call_id=CallId("200.1"))
    assert [entry.access.kind.value for entry in entries] == ["hold", "release"]
    assert (await console.post("admin", "/admin/holds/release", form))[0] == 404


@pytest.mark.parametrize("form", [{"call": "200.1"}, {"reason": "x"}, {"call": "../../etc", "reason": "x"}, {}])
async def test_a_hold_without_a_call_or_a_reason_is_not_placed(
    console: ServedConsole, form: dict[str, str]
) -> None:
    for path in ("/admin/holds", "/admin/holds/release"):
        assert (await console.post("admin", path, form))[0] == 422
    assert await SqlHolds(console.engine).standing() == []


async def test_custody_of_a_call_and_of_a_tombstone_on_record(console: ServedConsole) -> None:
    await put_call(console.engine, "201.1", arrived=NOW - timedelta(days=1))
    status, page = await console.get("admin", "/admin/custody?call=201.1")
    assert status == 200 and "在库" in page
    entries = await SqlAccessLog(console.engine, SetTime(NOW)).entries(call_id=CallId("201.1"))
    assert [entry.access.actor for entry in entries] == ["admin"]
    assert "从未" in page or "不曾" not in page
    assert (await console.get("admin", "/admin/custody?call=nothing"))[0] == 422
    assert (await console.get("admin", "/admin/custody"))[0] == 200


def test_settings_are_shown_without_anything_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    settings = Settings.model_validate(
        {
            "database_url": "postgresql+asyncpg://sansheng:hunter2@db/hotline?password=hunter3",
            "webhooks": [
                {"name": "crm", "url": "https://crm.example/in/hunter4?key=5", "secret_file": str(secret)}
            ],
            "transcription": {"broker_url": "redis://:hunter6@cache/0"},
        }
    )
    shown = {setting.name: setting for setting in shown_settings(settings)}
    told = " ".join(setting.value for setting in shown.values())
    assert "hunter" not in told and "postgresql+asyncpg://sansheng:***@db/hotline" in told
    assert shown["webhooks"].value == "crm: https://crm.example/…" and not shown["webhooks"].default
    assert shown["rings.count"].value == "3" and shown["rings.count"].default
    assert replace(shown["rings.count"]).meaning


@pytest.mark.parametrize("login", ["agent", "monitor", "supervisor", "ops"])
async def test_nobody_else_sees_the_configuration(console: ServedConsole, login: str) -> None:
    for path in ("menu", "menu/try", "rules", "retention", "holds", "custody", "settings"):
        assert (await console.get(login, f"/admin/{path}"))[0] == 403
    assert (await console.post(login, "/admin/holds", {"call": "1.1", "reason": "x"}))[0] == 403


async def test_a_lead_sees_rules_but_places_no_holds(console: ServedConsole) -> None:
    assert (await console.get("lead", "/admin/rules"))[0] == 200
    assert (await console.get("lead", "/admin/retention"))[0] == 200
    for path in ("/admin/holds", "/admin/custody"):
        assert (await console.get("lead", path))[0] == 403
