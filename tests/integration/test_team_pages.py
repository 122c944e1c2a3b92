"""The supervisor's pages over a real gate: states, who let it ring, forced pauses (A1, K2r, P1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.ids import AgentNumber
from calls.people import Grant, Role
from storage.access import SqlAccessLog
from tests.support_chromium import chromium, expect
from tests.support_console import INQUIRY, LOGINS, ServedConsole, SetTime, Somebody, complaints, served
from tests.support_operations import NOW, Team, a_team, ring_some, something_in_the_books, with_team

CHIEF = Somebody("chief", "钱主任", (Grant(Role.SUPERVISOR),))


@pytest.fixture
def team() -> Team:
    return a_team()


@pytest_asyncio.fixture
async def console(tmp_path: Path, team: Team) -> AsyncIterator[ServedConsole]:
    people = (*LOGINS, CHIEF)
    async with served(tmp_path, clock=SetTime(NOW), people=people, change=with_team(team)) as console:
        yield console


async def noted(console: ServedConsole) -> list[str]:
    log = SqlAccessLog(console.engine, SetTime(NOW))
    return [each.access.reason for each in await log.entries() if each.access.kind == "steer"]


async def test_a_supervisor_sees_the_agents_of_their_section_and_no_others(console: ServedConsole) -> None:
    status, page = await console.get("supervisor", "/team")
    assert status == 200
    assert "/team/agents/1001" in page and "/team/agents/1002" in page
    assert "/team/agents/2001" not in page and "/team/agents/9001" not in page
    assert "15:26:00" in page, "since when"
    _, part = await console.get("supervisor", "/team", **{"HX-Request": "true"})
    assert "<html" not in part and "/team/agents/1001" in part
    _, page = await console.get("chief", "/team")
    assert "/team/agents/2001" in page and "/team/agents/9001" in page


async def test_a_pause_is_forced_with_a_reason_that_the_agent_sees(console: ServedConsole, team: Team) -> None:
    form = {"do": "pause", "reason": "training", "why": "消防演练，10 分钟|x"}
    assert await console.post("supervisor", "/team/agents/1001/state", form) == (303, "/team/agents/1001")
    assert team.done == ["1001 paused 培训: 消防演练，10 分钟 x (赵磊)"], (
        "nothing that breaks Asterisk's queue log"
    )
    assert (await noted(console))[-1] == "agent 1001: pause training 消防演练，10 分钟|x"
    _, page = await console.get("supervisor", "/team/agents/1001")
    assert "消防演练" in page
    assert await console.post("supervisor", "/team/agents/1001/state", {"do": "unpause"}) == (
        303,
        "/team/agents/1001",
    )
    form = {"do": "logout", "why": "没有回应"}
    await console.post("supervisor", "/team/agents/1001/state", form)
    assert team.done[1:] == ["1001 ready", "1001 paused 强制签出: 没有回应 (赵磊)", "1001 logged_out"]
    assert len(await noted(console)) == 3


async def test_without_a_reason_nothing_is_done(console: ServedConsole, team: Team) -> None:
    for form in ({"do": "pause", "reason": "training", "why": " "}, {"do": "logout"}):
        status, _ = await console.post("supervisor", "/team/agents/1001/state", form)
        assert status == 303
    for form in ({"do": "pause", "reason": "let-it-ring", "why": "x"}, {"do": "login"}, {}):
        status, _ = await console.post("supervisor", "/team/agents/1001/state", form)
        assert status == 400
    assert team.done == [] and await noted(console) == []


async def test_an_asterisk_that_refuses_is_told_and_on_record(console: ServedConsole, team: Team) -> None:
    team.refuses = "Interface not found"
    form = {"do": "logout", "why": "没有回应"}
    status, page = await console.post("supervisor", "/team/agents/1002/state", form)
    assert status == 503 and "Interface not found" in page
    assert (await noted(console))[-1] == "agent 1002: logout was not done"


@pytest.mark.parametrize("number", ["2001", "9001", "5555"])
async def test_an_agent_out_of_reach_does_not_exist(console: ServedConsole, team: Team, number: str) -> None:
    """Another section's, the whole centre's, nobody's: the same answer."""
    assert (await console.get("supervisor", f"/team/agents/{number}"))[0] == 404
    form = {"do": "logout", "why": "x"}
    assert (await console.post("supervisor", f"/team/agents/{number}/state", form))[0] == 404
    assert team.done == []


async def test_every_number_of_who_let_it_ring_opens_to_its_calls(console: ServedConsole) -> None:
    await ring_some(console.engine)
    await ring_some(console.engine, section="complaint", agents=["2001"])
    _, page = await console.get("supervisor", "/team/rings")
    assert "37.5%" in page and "2001" not in page
    one = "/team/rings/offers?from=2026-11-23&amp;to=2026-11-23&amp;section=&amp;agent=1001"
    assert f"{one}&amp;how=rang_out" in page and f"{one}&amp;hour=13" in page
    assert "/calls?from=2026-11-23&amp;to=2026-11-23&amp;section=&amp;kpi=K2r&amp;version=1&amp;agent=1001" in page
    _, calls = await console.get("supervisor", "/team/rings/offers?agent=1001&how=rang_out")
    assert calls.count('href="/calls/177.1001') == 3
    _, calls = await console.get("supervisor", "/team/rings/offers?agent=1001&hour=13")
    assert calls.count('href="/calls/17') == 2
    _, other = await console.get("supervisor", "/team/rings/offers?section=complaint")
    assert "2001" not in other, "a section out of reach is not asked for"
    _, listed = await console.get(
        "supervisor", "/calls?kpi=K2r&version=1&side=denominator&agent=1001&from=2026-11-23"
    )
    assert listed.count('href="/calls/17') >= 5, "the same offers in the list of calls"


@pytest.mark.parametrize(
    "query",
    [
        "from=nonsense",
        "from=2026-11-23&to=2026-11-01",
        "from=0001-01-01&to=9999-12-31",
        "from=2026-01-01&to=2026-11-23",
    ],
)
async def test_days_that_make_no_sense_are_said_and_harm_nothing(console: ServedConsole, query: str) -> None:
    for page in ("/team/rings", "/team/rings/offers"):
        status, _ = await console.get("supervisor", f"{page}?{query}&agent=%00&hour=99&how=%3Cscript%3E")
        assert status == 200


async def test_the_agents_day(console: ServedConsole) -> None:
    await something_in_the_books(console.engine)
    _, page = await console.get("supervisor", "/team/agents/1001")
    assert "09:30:00" in page and "休息" in page


async def test_in_a_browser_states_come_by_themselves_and_all_is_done_by_keyboard(
    console: ServedConsole, team: Team
) -> None:
    async with chromium() as browser:
        page = await console.page(browser, "supervisor", "/team")
        heard = complaints(page)
        await page.reload()
        await team.pause(AgentNumber("1001"), "meal")
        await expect(page.locator("#now")).to_contain_text("用餐")
        await page.get_by_label("处理 1001").focus()
        async with page.expect_response(lambda answer: answer.url.endswith("/team")) as renewed:
            pass
        await (await renewed.value).finished()
        await expect(page.get_by_label("处理 1001")).to_be_focused()  # also when the list has renewed itself
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="恢复接听").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("已留痕")
        await page.locator("#f-why").focus()
        await page.keyboard.type("例会")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("与班长沟通: 例会 (赵磊)")
        assert heard == [], "nothing that the content security policy forbids"
        await page.context.close()
    assert team.done[-1] == "1001 paused 与班长沟通: 例会 (赵磊)"


@pytest.mark.parametrize("login", ["agent", "monitor", "lead", "ops", "admin"])
async def test_nobody_else_steers(console: ServedConsole, team: Team, login: str) -> None:
    for path in ("/team", "/team/rings", "/team/rings/offers", "/team/agents/1001"):
        assert (await console.get(login, path))[0] == 403
    form = {"do": "logout", "why": "x"}
    assert (await console.post(login, "/team/agents/1001/state", form))[0] == 403
    assert team.done == []


def test_the_section_of_these_tests() -> None:
    assert Grant(Role.SUPERVISOR, INQUIRY) in next(each for each in LOGINS if each.login == "supervisor").grants
