"""A console with a week and a day of a hotline's work in it, for pictures and for looking at whole pages.

``furnished`` serves it: calls with sound, words and verdicts, a sample that was drawn and scored in part, an
appeal, a calibration, tasks, complaints in several states, work orders, call-backs, a team at its telephones and
outages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aiohttp import FormData

from calls.custody import Bandwidth, Leg
from calls.events import AnyEvent, CallArrived
from calls.explanations import Explanation, Reason
from calls.ids import CallId, SectionId
from calls.live import LinkNow
from calls.people import Grant, Role
from calls.transcript import LegTranscript, Span, Word
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from console.parts import Parts
from qa.forms import default_form
from service.custody import custody_of
from service.listening import index_call
from service.settings import Settings
from storage.ledger import SqlLedger
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served
from tests.support_desk import ANNE, DeskStage
from tests.support_ledger import Ring, story
from tests.support_operations import NOW, a_team, something_in_the_books, with_team
from tests.support_pages import Seen, Typed
from tests.support_player import write_sound
from tests.support_prepared import dropped, prepared
from tests.support_quality import put_recording

CHIEF, WORKER = "chief", "worker"
PEOPLE = (
    *LOGINS,
    Somebody(CHIEF, "王海涛", (Grant(Role.SUPERVISOR, SectionId("complaint")),)),
    Somebody(WORKER, "赵国强", (Grant(Role.DEPARTMENT, SectionId("stations")),)),
)
HEARD = CallId("hotline-1763346960.1")
"""The call that has sound; of last week."""
CASE = "TS2026-00001"

_RULES = RuleSetId("zh-CN", "1")
_MONDAY = NOW - timedelta(days=7, hours=6, minutes=30)
"""09:00 of last week's Monday."""

_SAID = (
    (Leg.AGENT, 0.6, "您好 铁路 客服中心 工号 1001 为您 服务"),
    (Leg.CALLER, 5.2, "你好 我 想 问 一下 昨天 买 的 票 能 不 能 退"),
    (Leg.AGENT, 12.5, "可以 的 请问 您 的 手机号 是 多少"),
    (Leg.CALLER, 17.6, "手机号 是 13812345678"),
    (Leg.AGENT, 21.0, "好的 请 稍等 我 帮 您 查询"),
    (Leg.CALLER, 33.0, "谢谢"),
    (Leg.AGENT, 36.0, "退票费 是 百分之 二十 请问 您 确认 退 吗"),
    (Leg.CALLER, 42.0, "确认 麻烦 快 一点"),
    (Leg.AGENT, 45.5, "已经 为您 办理 退款 三个 工作日 到账"),
    (Leg.CALLER, 51.0, "好的 再见"),
    (Leg.AGENT, 54.0, "感谢 来电 再见"),
)
_JUDGED = (
    ("greeting", Outcome.KEPT, Severity.MAJOR, 0.6, 1.1, "您好"),
    ("agent-number", Outcome.KEPT, Severity.MAJOR, 2.1, 3.0, "工号 1001"),
    ("section-named", Outcome.KEPT, Severity.MINOR, 1.1, 2.0, "铁路 客服中心"),
    ("courtesy", Outcome.KEPT, Severity.MINOR, 13.5, 14.5, "请问 您"),
    ("anything-else", Outcome.BROKEN, Severity.MAJOR, 45.5, 49.0, "办理 退款 三个 工作日 到账"),
    ("dead-air", Outcome.BROKEN, Severity.MINOR, 24.5, 33.0, ""),
    ("no-vague-answer", Outcome.CANNOT_JUDGE, Severity.IMMEDIATE, 45.5, 47.0, "三个 工作日"),
    ("thanks", Outcome.KEPT, Severity.MINOR, 54.0, 55.0, "感谢 来电"),
)
_COMPLAINT = {
    "form": "complaint",
    "channel": "counter",
    "section": "complaint",
    "name": "张丽华",
    "contact": "138 0013 8000",
    "urgency": "urgent",
    "importance": "ordinary",
}
_COMPLAINTS = (
    ("facilities", "equipment_fault", "西站二号出站口", "自动扶梯停运三天，老人和带行李的旅客上下不便。"),
    ("service", "staff_attitude", "东站候车厅", "问询台工作人员态度冷淡，没有回答换乘问题。"),
    ("safety", "", "南站三站台", "站台边缘地砖松动，差点绊倒。"),
    ("facilities", "", "北站停车场", "停车场缴费机不能使用电子支付。"),
)


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[ServedConsole]:
    """Served; a call is in talk at the desk of ``agent``."""
    url = await prepared("sqlite", folder)
    settings = Settings(var_dir=folder / "var", database_url=url)
    settings.var_dir.mkdir(exist_ok=True)
    clock = SetTime(NOW)
    stage, team = DeskStage(clock), with_team(a_team())

    def change(parts: Parts) -> Parts:
        return replace(team(parts), desk=stage.desk(parts))

    async with served(folder, url=url, people=PEOPLE, clock=clock, settings=settings, change=change) as console:
        running = asyncio.create_task(stage.pop.run())
        try:
            await _calls(console, settings)
            await something_in_the_books(console.engine)
            await _quality(console)
            await _cases(console, clock)
            await console.close()  # sessions of four days ago are over
            await _desk(stage)
            yield console
        finally:
            stage.pop.close()
            running.cancel()
            await asyncio.wait({running})
    dropped(url)


# ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _calls(console: ServedConsole, settings: Settings) -> None:
    """Forty of last week and twelve of today; one with sound."""
    engine, told, calls = console.engine, list[AnyEvent](), list[tuple[CallId, str]]()
    for number in range(52):
        start = _MONDAY + timedelta(hours=4 * (number % 2), days=number // 8, minutes=17 * (number % 8))
        if number >= 40:
            start = NOW - timedelta(minutes=25 * (52 - number))
        agent, section = (("1001", "inquiry"), ("1002", "inquiry"), ("2001", "complaint"), ("3001", "ticketing"))[
            number % 4
        ]
        call = HEARD if number == 8 else CallId(f"hotline-{int(start.timestamp())}.{number}")
        rings = [Ring(agent, 3, 8 if number % 5 else 19, 9 if number % 5 else 20, 68, 16)]
        if number % 11 == 10:
            rings = [Ring(agent, 3, ended=18)]
        else:
            calls.append((call, agent))
        events = story(call, start=start, asked=2, rings=rings, ended=68, section=section, recorded=len(rings) > 0)
        told += [_from(event, f"139{number * 7919 % 10**8:08}") for event in events]
    await SqlLedger(engine).record(told)
    custody = custody_of(settings, engine, console.parts.clock)
    intake = settings.recordings_dir / "intake" / HEARD
    intake.mkdir(parents=True)
    for speaker, leg in enumerate((Leg.CALLER, Leg.AGENT, Leg.MIXED)):
        write_sound(intake / f"{leg}.wav", 60, None if leg is Leg.MIXED else speaker)
    await custody.ingest(intake)
    for number, (call, agent) in enumerate(calls):
        if call != HEARD:
            await put_recording(engine, call, NOW - timedelta(days=1))
        if number % 3 == 2 or call == HEARD:
            await _words(console, settings, call, agent)
        await _verdicts(console, call, number)


def _from(event: AnyEvent, caller: str) -> AnyEvent:
    return replace(event, caller=caller) if isinstance(event, CallArrived) else event


async def _words(console: ServedConsole, settings: Settings, call: CallId, agent: str) -> None:
    for leg in (Leg.CALLER, Leg.AGENT):
        said = tuple(
            Word(word.replace("1001", agent), start + 0.5 * index, start + 0.5 * index + 0.45, 0.9)
            for which, start, text in _SAID
            for index, word in enumerate(text.split(" "))
            if which is leg
        )
        voice = tuple(Span(word.start_s, word.end_s) for word in said)
        heard = LegTranscript(leg, "zh-CN", "vosk", "vosk-model-cn", 60, Bandwidth.NARROW, voice, said)
        await SqlTranscripts(console.engine).store(call, heard)
    await index_call(settings, console.engine, call, console.parts.clock)


async def _verdicts(console: ServedConsole, call: CallId, number: int) -> None:
    found = []
    for place, (rule, outcome, severity, since, until, words) in enumerate(_JUDGED):
        varied = Outcome.BROKEN if call != HEARD and (number + 3 * place) % 17 == 0 else outcome
        found.append(
            Verdict(
                call_id=call,
                rule=rule,
                requirement="A2",
                rule_set=_RULES,
                outcome=varied,
                severity=severity,
                weight=1.0,
                confidence=0.9,
                evidence=(Evidence(Leg.AGENT, since, until, words, 0.9),),
                explanation=_why(words),
                judged_at=NOW - timedelta(hours=1),
            )
        )
    await SqlVerdicts(console.engine).judged(call, _RULES, found)


def _why(words: str) -> Explanation:
    if words:
        return Explanation.of(Reason.HEARD, phrases=(words,), alike=1.0)
    return Explanation.of(Reason.SILENCE, longest_s=8.5, most_s=8, most_on_hold_s=60)


# ── Quality ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def typed(console: ServedConsole, login: str, path: str, action: str = "") -> Typed:
    """What a page's form would send if nobody touched it."""
    status, text = await console.get(login, path)
    assert status == 200, (path, status)
    return Seen(status, text, {}).form(action or path)


async def sent(console: ServedConsole, login: str, path: str, fields: Mapping[str, str]) -> str:
    """A form sent by who is signed in; where it leads."""
    form = FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    client = await console.client(login)
    async with console.form(client, path, form) as answer:
        leads = str(answer.headers.get("Location", ""))
        assert answer.status == 303 and not leads.startswith("/login"), (path, answer.status, await answer.text())
        return leads


async def _quality(console: ServedConsole) -> None:
    draft = await sent(console, "lead", "/quality/forms", {"template": "default"})
    await sent(console, "lead", draft, (await typed(console, "lead", draft)) | {"act": "publish"})
    form = draft.split("/")[3]
    plan = await typed(console, "lead", "/quality/plans/new", "/quality/plans")
    plan |= {"name": "咨询受理科每周抽检", "form": form, "grain": "week", "per_agent": "3", "risk_percent": "30"}
    plan["sections"] = "inquiry"
    made = await sent(console, "lead", "/quality/plans", plan)
    await sent(console, "monitor", f"{made}/draw", {})
    await sent(console, "lead", "/quality/forms", {"of": form})
    for number in (1, 2, 3):
        await _scored(console, number)
    await _answered(console)
    await sent(
        console,
        "supervisor",
        "/quality/coaching",
        {"call": HEARD, "text": "结束前主动询问是否还有其他需要，练习结束语。", "due": "2026-11-30", "at": "45.5"},
    )
    begun = await typed(console, "lead", "/quality/calibration/new", "/quality/calibration")
    begun |= {"name": "十一月第四周校准", "form": form, "more_calls": HEARD}
    begun.popall("scorers", None)
    for who in ("monitor", "monitor2"):
        begun.add("scorers", who)
    await sent(console, "lead", "/quality/calibration", begun)


async def _scored(console: ServedConsole, number: int) -> None:
    """A sheet as the rules filled it in, the rest answered fully."""
    here = f"/quality/scores/{number}/sheet"
    sheet = await typed(console, "monitor", here)
    for criterion in default_form().criteria:
        sheet.setdefault(f"answer:{criterion.id}", str(criterion.points))
    sheet |= {"act": "hand_in", "summary": "解答准确，语气平和；结束前没有询问是否还有其他需要。"}
    await sent(console, "monitor", here, sheet)


async def _answered(console: ServedConsole) -> None:
    """The agent objects to one score."""
    _, text = await console.get("agent", "/quality/own")
    for number in (1, 2, 3):
        if f"/quality/scores/{number}" in text:
            reason = {"reason": "通话最后旅客已先说再见，没有机会再询问。"}
            await sent(console, "agent", f"/quality/scores/{number}/appeal", reason)
            return


# ── Cases, desk ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _cases(console: ServedConsole, clock: SetTime) -> None:
    clock.moment = NOW - timedelta(days=4)
    for number, (type_, cause, place, content) in enumerate(_COMPLAINTS):
        told = {"draft": f"c{number}", "type": type_, "cause": cause, "place": place, "content": content}
        told["arrived_at"] = (clock.moment + timedelta(hours=8, minutes=-3)).strftime("%Y-%m-%dT%H:%M")
        await console.close()  # nobody's session lasts from day to day
        await sent(console, "agent2", "/cases/new", _COMPLAINT | told)
        clock.moment += timedelta(hours=18)
    await _written(console, clock, CASE, 3)
    await _written(console, clock, "TS2026-00002", 1)
    clock.moment = NOW - timedelta(hours=3)
    await console.close()
    inquiry = {"draft": "i1", "form": "inquiry", "channel": "counter", "section": "inquiry", "name": "王先生"}
    inquiry |= {"arrived_at": "2026-11-23T12:20", "category": "ticketing/refund/fee", "contact": "13900139000"}
    inquiry |= {"content": "昨天申请的退票，退款一直没有到账。", "dispatch": "1"}
    inquiry |= {"promise": "明天下班前回电告知到账时间"}
    await sent(console, "agent", "/inquiries/new", inquiry)
    clock.moment = NOW


async def _written(console: ServedConsole, clock: SetTime, number: str, steps: int) -> None:
    path: tuple[tuple[str, str, dict[str, str]], ...] = (
        (CHIEF, "forwarded", {"department": "stations"}),
        (WORKER, "opinion", {"opinion": "已报修，更换驱动电机，三日内恢复运行。", "done_by": "2026-11-25T12:00"}),
        (CHIEF, "approved", {}),
    )
    for version, (login, kind, fields) in enumerate(path[:steps], 1):
        clock.moment += timedelta(minutes=50)
        await console.close()
        await sent(console, login, f"/cases/{number}/{kind}", {"version": str(version), **fields})


async def _desk(stage: DeskStage) -> None:
    stage.pop.set_link(LinkNow.UP)
    await stage.telephones.log_in(ANNE)
    for minutes, about in ((50, "promise-1"), (-30, "promise-2"), (-90, "promise-3")):
        await stage.callbacks.enlist(about, "13900001234", NOW - timedelta(minutes=minutes), priority=minutes > 0)
    await stage.happen(stage.call("hotline-1763800000.1", ago_s=3 * 86400, over=True))
    await stage.happen(stage.call("hotline-1763882000.2", ago_s=100))
    stage.telephones.in_talk(ANNE)
