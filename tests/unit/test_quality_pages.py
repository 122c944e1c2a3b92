"""The quality pages: from a form and a plan to a decision on an appeal; who may see and do what (Q1–Q5, P1)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import AccessKind
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.people import Grant, Person, Right, Role
from calls.quality import Score
from calls.verdicts import Outcome, Severity
from calls.workdays import Workdays
from console.areas.appeals import Appeals
from console.areas.calibration import Calibration
from console.areas.coaching import Coaching
from console.areas.findings import Findings
from console.areas.forms import Forms
from console.areas.results import Results
from console.areas.sampling import Sampling
from console.areas.scoring import Scoring
from console.assets import Assets
from qa.forms import default_form
from service.console import parts_of
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.scores import ScoreFilter, SqlScores
from tests.support_console import SECTION_NAMES, Somebody, add_people
from tests.support_ledger import Ring, story
from tests.support_pages import Front, Seen, TestClock, Typed
from tests.support_prepared import dropped, prepared
from tests.support_quality import put_recording, put_verdicts

SHANGHAI = ZoneInfo("Asia/Shanghai")
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")


def person(login: str, role: Role, section: SectionId | None = INQUIRY, agent: str | None = None) -> Person:
    return Person(login, login.title(), (Grant(role, section),), AgentNumber(agent) if agent else None)


LEAD = person("lead", Role.LEAD)
CHIEF = person("chief", Role.LEAD, None)
MON, BOB = person("mon", Role.MONITOR), person("bob", Role.MONITOR)
OTHER = person("other", Role.MONITOR, COMPLAINT)
AGENT, COLLEAGUE = person("ann", Role.AGENT, agent="1001"), person("cid", Role.AGENT, agent="1002")
SUPERVISOR, ADMIN = person("boss", Role.SUPERVISOR), person("root", Role.ADMIN, None)
OPS = person("ops", Role.OPS, None)
EVERYBODY = (LEAD, CHIEF, MON, OTHER, AGENT, SUPERVISOR, ADMIN, OPS)


@dataclass
class Centre:
    """Pages over a database with a week of calls."""

    engine: AsyncEngine
    clock: TestClock
    front: Front
    log: SqlAccessLog

    async def published(self, who: Person = LEAD) -> str:
        """The standard form, published by the lead; its id."""
        begun = await self.front.post(who, "/quality/forms", {"template": "default"})
        typed = (await self.front.get(who, begun.location)).form(begun.location)
        typed["act"] = "publish"
        done = await self.front.post(who, begun.location, typed)
        assert done.status == 303, done.text
        return begun.location.split("/")[3]

    async def plan(self, who: Person = LEAD, **changes: Any) -> str:
        """A weekly plan with two calls of each agent; its address."""
        form = await self.published(who)
        typed = (await self.front.get(who, "/quality/plans/new")).form("/quality/plans")
        typed.update({"name": "weekly", "form": form, "grain": "week", "per_agent": "2", "risk_percent": "50"})
        typed["sections"] = INQUIRY
        for name, value in changes.items():
            typed[name] = value
        made = await self.front.post(who, "/quality/plans", typed)
        assert made.status == 303, made.text
        return made.location

    async def drawn(self, who: Person = MON) -> list[int]:
        """Draw last week's calls; the numbers of the scores in the drawer's queue."""
        done = await self.front.post(who, f"{await self.plan()}/draw")
        assert done.location.startswith("/quality/draws/"), done.location
        return sorted(score.score_id for score in await self.queue(who))

    async def queue(self, who: Person = MON) -> list[Score]:
        found = await SqlScores(self.engine).page(
            ScoreFilter(scope=who.scope(Right.SCORE), assigned_to=who.login), limit=200
        )
        return [score for score in found if score.revision == 0]

    async def filled(self, number: int, who: Person = MON) -> Typed:
        """The sheet as the rules filled it in, the rest answered well."""
        here = f"/quality/scores/{number}/sheet"
        typed = (await self.front.get(who, here)).form(here)
        for name, most in MOST.items():
            typed.setdefault(f"answer:{name}", most)
        typed["act"] = "hand_in"
        return typed

    async def scored(self, number: int, who: Person = MON, **changes: str) -> Seen:
        typed = await self.filled(number, who)
        typed.update({name.replace("__", ":"): value for name, value in changes.items()})
        return await self.front.post(who, f"/quality/scores/{number}/sheet", typed)


MOST = {criterion.id: str(criterion.points) for criterion in default_form().criteria}
"""The best answers on the standard form."""


@pytest_asyncio.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    address = await prepared("sqlite", tmp_path)
    engine, clock = open_engine(address), TestClock()
    parts = parts_of(Settings(var_dir=tmp_path), engine, clock, SECTION_NAMES, Assets())
    plain = Workdays(frozenset(), frozenset())
    terms = replace(parts.quality, workdays=plain, kind_of_day=plain.kind, appeal_workdays=3)
    parts = replace(parts, quality=terms)
    people = (*EVERYBODY, BOB, COLLEAGUE)
    await add_people(parts, [Somebody(p.login, p.name, p.grants, p.agent) for p in people], "")
    areas = (Sampling, Forms, Scoring, Appeals, Calibration, Coaching, Results, Findings)
    front = Front([area(parts) for area in areas])
    await calls_of_last_week(engine, clock)
    yield Centre(engine, clock, front, SqlAccessLog(engine, clock))
    await engine.dispose()
    dropped(address)


async def calls_of_last_week(engine: AsyncEngine, clock: TestClock) -> None:
    """Five calls of each of two agents for inquiries, one of a third for complaints."""
    begun = clock.now() - timedelta(days=8)
    events = []
    for number in range(10):
        agent, call_id = ("1001", "1002")[number % 2], f"{number + 1}.1"
        events += story(
            call_id,
            start=begun + timedelta(hours=number),
            asked=1,
            rings=[Ring(agent, 2, answered=5, connected=6, ended=126)],
            ended=126,
            section=INQUIRY,
        )
    events += story(
        "99.1", start=begun, asked=1, rings=[Ring("1003", 2, answered=5, connected=6)], ended=99, section=COMPLAINT
    )
    await SqlLedger(engine).record(events)
    for call_id in [*(f"{number + 1}.1" for number in range(10)), "99.1"]:
        await put_recording(engine, call_id, begun)
    bad = [("greeting", Outcome.BROKEN, Severity.MAJOR), ("thanks", Outcome.KEPT, Severity.MINOR)]
    for number in range(10):
        await put_verdicts(engine, f"{number + 1}.1", bad, clock.now())


def called(centre: Centre, number: int) -> str:
    """What pages call one of these calls: by its time and its section."""
    arrived = centre.clock.now() - timedelta(days=8) + timedelta(hours=number - 1)
    return f"{arrived.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} {SECTION_NAMES[INQUIRY][Language('en')]}"


# ── The main path ────────────────────────────────────────────────────────────────────────────────────────────


async def test_from_a_form_and_a_plan_to_a_decision_on_an_appeal(centre: Centre) -> None:
    front, numbers = centre.front, await centre.drawn()
    assert len(numbers) == 6, "two at random and one for a risk, of two agents"
    scores = {score.score_id: score for score in await centre.queue()}
    number = next(each for each in numbers if scores[each].agent == "1001")

    refused = await centre.scored(number, **{"answer__greeting": "2"})
    assert refused.status == 422 and "contradicts the verdict" in refused.text
    overruled = {
        "answer__greeting": "2",
        "ruling__zh-CN@1__greeting": "kept",
        "reason__zh-CN@1__greeting": "greets in Sichuanese",
        "summary": "well done",
    }
    done = await centre.scored(number, **overruled)
    assert done.location == f"/quality/scores/{number}"

    own = await front.get(AGENT, "/quality/own")
    assert f"/quality/scores/{number}" in own.text and "1 scores wait" in own.text
    page = await front.get(AGENT, f"/quality/scores/{number}")
    assert "greets in Sichuanese" in page.text and "Acknowledge" in page.text
    assert ">mon<" not in page.text and " mon" not in page.text, "an agent does not read who scored"
    appealed = await front.post(AGENT, f"/quality/scores/{number}/appeal", {"reason": "I did confirm the date"})
    assert appealed.status == 303

    assert "I did confirm the date" in (await front.get(LEAD, "/quality/appeals")).text
    assert "I did confirm the date" in (await front.get(LEAD, f"/quality/scores/{number}")).text
    again = await centre.scored(number, LEAD, **{"answer__facts-recorded": "2", "why": "the date was read back"})
    assert again.status == 303, again.text
    page = await front.get(AGENT, f"/quality/scores/{number}")
    assert "changed after appeal" in page.text and "the date was read back" in page.text
    assert "Revision 2" in page.text and "Revision 1" in page.text
    assert (await front.get(MON, f"/quality/scores/{number}/sheet")).status == 409, "what was decided stands"

    rules = await front.get(LEAD, "/quality/rules?rule=greeting")
    assert "polite greeting" in rules.text and "greets in Sichuanese" in rules.text
    results = await front.get(LEAD, "/quality/results")
    assert "1001" in results.text and "form-1@1" in results.text and "one call: no interval" in results.text


async def test_results_leave_as_a_file_under_agents_numbers_and_on_record(centre: Centre) -> None:
    for number in await centre.drawn():
        await centre.scored(number)
    page = await centre.front.get(LEAD, "/quality/results")
    typed = page.form("/quality/results/export")
    assert (await centre.front.post(MON, "/quality/results/export", typed)).status == 403
    silent = await centre.front.post(LEAD, "/quality/results/export", typed)
    assert silent.location.endswith("failed=reason")
    typed |= {"reason": "appraisal of November", "kind": "csv"}
    told = (await centre.front.post(LEAD, "/quality/results/export", typed)).text
    rows = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"))))
    assert [row[0] for row in rows[:3]] == ["Agent number", "1001", "1002"]
    assert {row[8] for row in rows[1:3]} == {"form-1@1"}
    assert "Ann" not in told, "numbers, no names"
    book = await centre.front.post(SUPERVISOR, "/quality/results/export", typed | {"kind": "xlsx"})
    assert book.headers["Content-Disposition"] == 'attachment; filename="quality-results.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(book.body)).worksheets[0]
    assert [cell.value for cell in sheet["A"]][:3] == ["Agent number", "1001", "1002"]
    assert [cell.value for cell in sheet["B"]][1:3] == [float(row[1]) for row in rows[1:3]]
    noted = [entry.access for entry in await centre.log.entries() if entry.access.kind is AccessKind.EXPORT]
    assert [each.actor for each in noted] == ["lead", "boss"]
    assert all("appraisal of November" in each.reason for each in noted)


async def test_an_appeal_is_turned_down_with_a_reason(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    who = {"1001": AGENT, "1002": COLLEAGUE}[next(s.agent for s in await centre.queue() if s.score_id == number)]
    assert (await centre.scored(number)).status == 303
    await centre.front.post(who, f"/quality/scores/{number}/appeal", {"reason": "no"})
    without = await centre.front.post(LEAD, f"/quality/scores/{number}/uphold", {"reason": " "})
    assert "trouble=reason" in without.location
    await centre.front.post(LEAD, f"/quality/scores/{number}/uphold", {"reason": "it is not to be heard"})
    page = await centre.front.get(who, f"/quality/scores/{number}")
    assert "upheld" in page.text and "it is not to be heard" in page.text
    late = await centre.front.post(who, f"/quality/scores/{number}/acknowledge")
    assert late.location.endswith("trouble=not_now")


async def test_the_term_of_an_appeal(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    who = {"1001": AGENT, "1002": COLLEAGUE}[next(s.agent for s in await centre.queue() if s.score_id == number)]
    await centre.scored(number)
    centre.clock.on(days=6)
    page = await centre.front.get(who, f"/quality/scores/{number}")
    assert "The term for an appeal is over" in page.text and "Acknowledge" in page.text
    late = await centre.front.post(who, f"/quality/scores/{number}/appeal", {"reason": "late"})
    assert late.location.endswith("trouble=not_now")
    assert (await centre.front.post(who, f"/quality/scores/{number}/acknowledge")).status == 303
    assert "acknowledged" in (await centre.front.get(who, f"/quality/scores/{number}")).text


# ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_draw_says_what_it_will_take_and_can_be_repeated(centre: Centre) -> None:
    plan = await centre.plan()
    preview = await centre.front.get(MON, f"{plan}?period=2026-W47")
    assert "10 calls that you may see, of 2 agents. This draw takes 6 of them." in preview.text
    done = await centre.front.post(MON, f"{plan}/draw", preview.form(f"{plan}/draw"))
    page = await centre.front.get(LEAD, f"{done.location}?again=1")
    assert "the sample is the same" in page.text and "sansheng-draw-1" in page.text
    assert "nothing to draw" in (await centre.front.get(BOB, f"{plan}?period=2026-W47")).text, (
        "the plan is filled for everybody"
    )
    nothing = await centre.front.post(BOB, f"{plan}/draw")
    assert nothing.location.endswith("trouble=nothing")
    frame = await centre.front.get(LEAD, f"{done.location}/frame")
    assert len(frame.text.splitlines()) == 11 and frame.text.startswith("call_id,agent")
    (exported,) = await centre.log.entries(actor="lead", limit=1)
    assert exported.access.kind.value == "export"
    assert (await centre.front.get(MON, f"{done.location}/frame")).status == 403


async def test_nobody_draws_or_sees_draws_of_other_sections(centre: Centre) -> None:
    plan = await centre.plan()
    elsewhere = await centre.front.get(OTHER, f"{plan}?period=2026-W47")
    assert "0 calls that you may see" in elsewhere.text
    assert (await centre.front.post(OTHER, f"{plan}/draw")).location.endswith("trouble=nothing")
    done = await centre.front.post(MON, f"{plan}/draw")
    assert (await centre.front.get(OTHER, done.location)).status == 404
    assert done.location not in (await centre.front.get(OTHER, plan)).text
    assert (await centre.front.get(CHIEF, done.location)).status == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "at most 80 letters"),
        ({"per_agent": "0"}, "From 1 to 100"),
        ({"shift_hours": "16 8"}, "rising hours"),
        ({"length_bounds": "x"}, "rising numbers"),
        ({"form": "nothing"}, "Choose a published form"),
        ({"sections": "complaint"}, "Choose sections that you lead"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused(centre: Centre, changes: dict[str, str], told: str) -> None:
    form = await centre.published()
    typed = Typed({"name": "p", "form": form, "grain": "month", "per_agent": "2", "risk_percent": "0"})
    typed.update({"shift_hours": "0 8", "length_bounds": "60", "least_talk": "5", "sections": "inquiry"})
    typed.update(changes)
    refused = await centre.front.post(LEAD, "/quality/plans", typed)
    assert refused.status == 422 and told in refused.text


async def test_a_retired_plan_draws_nothing(centre: Centre) -> None:
    plan = await centre.plan()
    assert (await centre.front.post(person("x", Role.LEAD, COMPLAINT), f"{plan}/retire")).status == 404
    await centre.front.post(LEAD, f"{plan}/retire")
    assert "was retired" in (await centre.front.get(MON, plan)).text
    assert (await centre.front.post(MON, f"{plan}/draw")).location == plan


# ── The sheet ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_verdicts_fill_the_sheet_in_and_lead_to_their_seconds(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    here = f"/quality/scores/{number}/sheet"
    page = await centre.front.get(MON, here)
    typed = page.form(here)
    assert typed["answer:greeting"] == "0", "broken"
    assert "answer:thanks" not in typed or typed["answer:thanks"] == "1"
    assert "answer:right-answer" not in typed, "nobody but a person can tell"
    assert "?at=12" in page.text
    (entry,) = await centre.log.entries(actor="mon")
    assert entry.access.kind.value == "read" and entry.access.reason == "scoring"


async def test_what_was_ruled_stands_when_the_rules_change(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    done = await centre.scored(
        number,
        **{
            "answer__greeting": "2",
            "ruling__zh-CN@1__greeting": "kept",
            "reason__zh-CN@1__greeting": "so it is said",
        },
    )
    call_id = next(score.call_id for score in [await SqlScores(centre.engine).score(number)] if score)
    await put_verdicts(centre.engine, call_id, [("courtesy", Outcome.BROKEN, Severity.MINOR)], centre.clock.now())
    page = await centre.front.get(MON, done.location)
    assert "so it is said" in page.text and "courtesy words" not in page.text


async def test_what_is_typed_is_kept_and_nobody_loses_it(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    here = f"/quality/scores/{number}/sheet"
    typed = await centre.filled(number)
    typed["summary"] = "half a thought"
    typed.add("remark_at", "1:15")
    typed.add("remark_text", "<script>alert(1)</script>")
    kept = await centre.front.post(MON, f"/quality/scores/{number}/draft", typed)
    assert json.loads(kept.text) == {"edit": 1}
    page = await centre.front.get(MON, here)
    assert "half a thought" in page.text and 'value="1:15"' in page.text
    assert "<script>alert" not in page.text and "&lt;script&gt;" in page.text
    elsewhere = await centre.front.post(MON, f"/quality/scores/{number}/draft", typed)
    assert elsewhere.status == 409, "the first window saved in between"

    assert (await centre.scored(number, BOB)).status == 303, "a second monitor is faster"
    late = await centre.front.post(MON, here, page.form(here) | {"act": "hand_in"})
    assert late.status == 409 and "half a thought" in late.text
    again = await centre.front.get(MON, here)
    assert "half a thought" in again.text, "the draft is still there"
    typed = again.form(here) | {"act": "hand_in"}
    refused = await centre.front.post(MON, here, typed)
    assert refused.status == 422 and "say why it is scored again" in refused.text
    done = await centre.front.post(MON, here, typed | {"why": "a second look", **await rest(centre, number)})
    assert done.status == 303


async def rest(centre: Centre, number: int) -> dict[str, str]:
    return {name: value for name, value in (await centre.filled(number)).items() if name.startswith("answer:")}


async def test_a_sheet_that_is_not_whole_comes_back_as_typed(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    here = f"/quality/scores/{number}/sheet"
    typed = (await centre.front.get(MON, here)).form(here) | {"summary": "mine", "adjustment": "11"}
    back = await centre.front.post(MON, here, typed)
    assert back.status == 422 and "mine" in back.text
    assert "not answered" in back.text and "too large" in back.text


async def test_a_call_is_picked_by_hand(centre: Centre) -> None:
    form = await centre.published()
    page = await centre.front.get(MON, "/quality/pick/1.1")
    assert form in page.text
    begun = await centre.front.post(MON, "/quality/pick/1.1", {"form": form})
    assert (await centre.front.get(MON, begun.location)).status == 200
    again = await centre.front.post(BOB, "/quality/pick/1.1", {"form": form})
    assert again.location == begun.location
    for url in ("/quality/pick/99.1", "/quality/pick/404.1", "/quality/pick/..%2fx"):
        assert (await centre.front.get(MON, url)).status == 404
        assert (await centre.front.post(MON, url, {"form": form})).status == 404
    own = Person("both", "Both", (Grant(Role.MONITOR, INQUIRY), Grant(Role.AGENT, INQUIRY)), AgentNumber("1001"))
    assert (await centre.front.post(own, "/quality/pick/1.1", {"form": form})).status == 404, "not one's own"
    assert (await centre.front.get(own, begun.location)).status == 404


async def test_a_score_is_handed_over(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    assert "Bob · bob" in (await centre.front.get(LEAD, f"/quality/scores/{number}")).text
    for stranger in ("other", "ann", "nobody"):
        answer = await centre.front.post(LEAD, f"/quality/scores/{number}/assign", {"to": stranger})
        assert answer.status == 404
    await centre.front.post(LEAD, f"/quality/scores/{number}/assign", {"to": "bob"})
    assert f"/quality/scores/{number}/sheet" in (await centre.front.get(BOB, "/quality/queue")).text
    assert f"/quality/scores/{number}/sheet" not in (await centre.front.get(MON, "/quality/queue")).text


# ── Who sees what ────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_agent_sees_own_scores_and_not_that_a_call_was_drawn(centre: Centre) -> None:
    numbers = await centre.drawn()
    scores = {score.score_id: score for score in await centre.queue()}
    mine = next(each for each in numbers if scores[each].agent == "1001")
    theirs = next(each for each in numbers if scores[each].agent == "1002")
    for number in (mine, theirs):
        assert (await centre.front.get(AGENT, f"/quality/scores/{number}")).status == 404
    await centre.scored(mine)
    await centre.scored(theirs)
    assert (await centre.front.get(AGENT, f"/quality/scores/{mine}")).status == 200
    page = await centre.front.get(AGENT, "/quality/own")
    assert f"/quality/scores/{mine}" in page.text and f"/quality/scores/{theirs}" not in page.text
    assert "1002" not in page.text
    for act in ("acknowledge", "appeal"):
        answer = await centre.front.post(AGENT, f"/quality/scores/{theirs}/{act}", {"reason": "x"})
        assert answer.status == 404
        assert (await centre.front.post(MON, f"/quality/scores/{mine}/{act}", {"reason": "x"})).status == 403
    assert (await centre.front.post(AGENT, f"/quality/scores/{mine}/uphold", {"reason": "x"})).status == 403
    assert (await centre.front.get(AGENT, f"/quality/scores/{mine}/sheet")).status == 403


async def test_another_sections_monitor_finds_nothing(centre: Centre) -> None:
    number = (await centre.drawn())[0]
    for url in (f"/quality/scores/{number}", f"/quality/scores/{number}/sheet"):
        assert (await centre.front.get(OTHER, url)).status == 404
    for act in ("sheet", "draft"):
        assert (await centre.front.post(OTHER, f"/quality/scores/{number}/{act}", {"edit": "0"})).status == 404
    assert f"/quality/scores/{number}" not in (await centre.front.get(OTHER, "/quality/scores")).text
    assert (await centre.front.get(OTHER, "/quality/scores/zero")).status == 404


LISTS = {
    "/quality/plans": {"lead", "chief", "mon", "other"},
    "/quality/plans/new": {"lead", "chief"},
    "/quality/queue": {"lead", "chief", "mon", "other"},
    "/quality/scores": {"lead", "chief", "mon", "other"},
    "/quality/own": {"ann"},
    "/quality/appeals": {"lead", "chief"},
    "/quality/forms": {"lead", "chief", "mon", "other", "root"},
    "/quality/calibration": {"lead", "chief", "mon", "other"},
    "/quality/calibration/new": {"lead", "chief"},
    "/quality/coaching": {"lead", "chief", "boss", "ann"},
    "/quality/results": {"lead", "chief", "mon", "other", "boss"},
    "/quality/rules": {"lead", "chief", "root"},
    "/quality/findings": {"lead", "chief", "mon", "other", "boss"},
}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_list_is_for_those_it_is_for(centre: Centre, language: str) -> None:
    centre.front.language = language
    for url, readers in LISTS.items():
        answers = {each.login: (await centre.front.get(each, url)).status for each in EVERYBODY}
        assert answers == {login: 200 if login in readers else 403 for login in answers}, url


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_form_is_built_without_a_script(centre: Centre) -> None:
    front = centre.front
    here = (await front.post(LEAD, "/quality/forms")).location

    async def press(act: str, **typed: str) -> Seen:
        now = (await front.get(LEAD, here)).form(here)
        now.update({name.replace("__", ":"): value for name, value in typed.items()} | {"act": act})
        answer = await front.post(LEAD, here, now)
        return answer if answer.status != 303 else await front.get(LEAD, answer.location.partition("#")[0])

    first = await press("publish")
    assert first.status == 422 and "lacks its Chinese or English name" in first.text
    await press(
        "save", **{"form__zh-CN": "表", "form__en": "Form", "section__0__zh-CN": "开", "section__0__en": "Open"}
    )
    await press("add-section")
    await press("add-criterion:0", **{"section__0__weight": "60", "section__1__weight": "40"})
    names = {
        "criterion__0__0": "greets",
        "criterion__0__1": "listens",
        "criterion__1__0": "thanks",
        "section__1": "End",
    }
    typed = {f"{here_}__{language}": name for here_, name in names.items() for language in ("zh-CN", "en")}
    await press(
        "raise-criterion:0:1", **typed, **{"criterion__0__1__kind": "scale", "criterion__0__1__points": "4"}
    )
    page = await press("raise-section:1", **{"criterion__0__1__rules": "greeting"})
    form = page.form(here)
    assert [form[f"criterion:1:{n}:en"] for n in (0, 1)] == ["listens", "greets"]
    assert form["section:0:en"] == "End" and form["criterion:1:1:rules"] == "greeting"
    await press("remove-criterion:1:0")
    published = await press("publish")
    assert published.status == 200 and "Published by lead" in published.text
    assert "polite greeting" in published.text and "listens" not in published.text
    assert (await front.get(LEAD, here)).status == 404, "there is no draft any more"

    again = await front.post(LEAD, "/quality/forms", {"of": "form-1"})
    assert again.location == here
    await press("discard")
    assert (await front.get(LEAD, here)).status == 404
    assert (await front.get(MON, "/quality/forms/form-1/versions/1")).status == 200
    assert (await front.get(MON, "/quality/forms/form-1/versions/2")).status == 404
    assert (await front.get(MON, here)).status == 403


async def test_of_two_who_build_a_form_nobody_loses_work(centre: Centre) -> None:
    here = (await centre.front.post(LEAD, "/quality/forms", {"template": "default"})).location
    mine = (await centre.front.get(LEAD, here)).form(here)
    theirs = (await centre.front.get(CHIEF, here)).form(here)
    await centre.front.post(CHIEF, here, theirs | {"act": "save", "form:en": "Theirs"})
    late = await centre.front.post(LEAD, here, mine | {"act": "save", "form:en": "Mine"})
    assert late.status == 409 and "Mine" in late.text and "chief changed this draft" in late.text
    copy = await centre.front.post(LEAD, here, late.form(here) | {"act": "copy"})
    assert copy.location == "/quality/forms/form-2/draft"
    assert 'value="Mine"' in (await centre.front.get(LEAD, copy.location)).text
    assert 'value="Theirs"' in (await centre.front.get(LEAD, here)).text


# ── Calibration ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_blind_sheet_keeps_itself_until_it_is_handed_in(centre: Centre) -> None:
    front, form = centre.front, await centre.published()
    typed = Typed({"name": "November", "form": form, "scorers": "mon", "more_calls": "1.1"})
    typed.add("scorers", "bob")
    here = (await front.post(LEAD, "/quality/calibration", typed)).location
    sheet = f"{here}/sheets/1.1"
    filled = (await front.get(MON, sheet)).form(sheet) | {"summary": "half of what I think"}
    kept = await front.post(MON, f"{sheet}/draft", filled)
    assert (kept.status, json.loads(kept.text)) == (200, {"edit": 1})
    assert (await front.post(MON, f"{sheet}/draft", filled)).status == 409, "another window was faster"
    stays = await front.post(MON, sheet, filled | {"act": "draft"})
    assert stays.status == 409 and "half of what I think" in stays.text, "and nothing typed is lost"
    again = (await front.get(MON, sheet)).form(sheet)
    assert (again["summary"], again["edit"]) == ("half of what I think", "1")
    assert "half of what I think" not in (await front.get(BOB, sheet)).text, "nobody else sees it"
    assert (await front.post(LEAD, f"{sheet}/draft", filled)).status == 404
    assert (await front.post(MON, sheet, again | {"act": "draft", "summary": "more"})).location == sheet
    whole = (await front.get(MON, sheet)).form(sheet)
    for name, most in MOST.items():
        whole.setdefault(f"answer:{name}", most)
    assert (await front.post(MON, sheet, whole | {"act": "hand_in"})).location == here
    late = await front.post(MON, f"{sheet}/draft", whole)
    assert late.status == 409, "it was handed in"


async def test_blind_scores_are_discussed_once_all_are_in(centre: Centre) -> None:
    front, form = centre.front, await centre.published()
    typed = Typed({"name": "November", "form": form, "scorers": "mon", "more_calls": "1.1 2.1"})
    typed.add("scorers", "bob")
    begun = await front.post(LEAD, "/quality/calibration", typed)
    here = begun.location

    async def hand_in(who: Person, call_id: str, right_answer: str) -> Seen:
        sheet = f"{here}/sheets/{call_id}"
        filled = (await front.get(who, sheet)).form(sheet)
        for name, most in MOST.items():
            filled.setdefault(f"answer:{name}", most)
        filled["answer:right-answer"] = right_answer
        filled["summary"] = f"said by {who.login}"
        return await front.post(who, sheet, filled)

    assert (await hand_in(MON, "1.1", "4")).status == 303
    for who in (BOB, LEAD):
        page = await front.get(who, here)
        assert "said by mon" not in page.text and ">handed in<" in page.text and "Discussion" not in page.text
    assert (await front.get(OTHER, here)).status == 404
    assert (await front.get(LEAD, f"{here}/sheets/1.1")).status == 404, "the lead does not score in this round"
    await hand_in(BOB, "1.1", "1")
    page = await front.get(MON, here)
    assert "said by bob" in page.text and f"Discussion: call {called(centre, 1)}" in page.text
    assert f"Discussion: call {called(centre, 2)}" not in page.text and "not defined" in page.text
    twice = await hand_in(MON, "1.1", "0")
    assert twice.status == 303 and "said by mon" in (await front.get(MON, here)).text
    await hand_in(MON, "2.1", "0")
    await front.post(LEAD, f"{here}/close")
    assert f"Discussion: call {called(centre, 2)}" in (await front.get(BOB, here)).text
    assert (await front.get(BOB, f"{here}/sheets/2.1")).status == 404
    assert here in (await front.get(MON, "/quality/calibration")).text
    assert here not in (await front.get(OTHER, "/quality/calibration")).text


async def test_a_round_that_cannot_be_is_refused(centre: Centre) -> None:
    typed = {"name": "", "form": "", "scorers": "mon", "more_calls": "99.1"}
    refused = await centre.front.post(LEAD, "/quality/calibration", typed)
    assert refused.status == 422 and "out of your reach" in refused.text and "2 to 12 people" in refused.text
    typed = {"name": "n", "form": await centre.published(), "scorers": "other", "more_calls": "1.1"}
    elsewhere = Typed(typed)
    elsewhere.add("scorers", "mon")
    refused = await centre.front.post(LEAD, "/quality/calibration", elsewhere)
    assert refused.status == 422 and "2 to 12 people" in refused.text, (
        "who may not see the calls does not score them"
    )


# ── Coaching, findings ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_finding_becomes_a_task_and_is_done(centre: Centre) -> None:
    front = centre.front
    page = await front.get(SUPERVISOR, "/quality/coaching/new?call=1.1&at=12.5")
    typed = page.form("/quality/coaching") | {"text": "greet first", "due": "2026-11-25"}
    assert (await front.post(SUPERVISOR, "/quality/coaching", typed)).status == 422
    assert (await front.post(SUPERVISOR, "/quality/coaching", typed | {"due": "2026-12-01"})).status == 303
    own = await front.get(AGENT, "/quality/coaching")
    assert "greet first" in own.text and "/calls/1.1?at=12.5" in own.text
    assert "greet first" not in (await front.get(COLLEAGUE, "/quality/coaching")).text
    action = "/quality/coaching/1/done"
    assert (await front.post(COLLEAGUE, action, {"note": "x"})).status == 404
    await front.post(AGENT, action, {"note": "understood"})
    assert "greet first" not in (await front.get(SUPERVISOR, "/quality/coaching")).text
    assert "understood" in (await front.get(SUPERVISOR, "/quality/coaching?done=1")).text
    assert (await front.get(SUPERVISOR, "/quality/coaching/new?call=99.1")).status == 404
    assert (await front.get(SUPERVISOR, "/quality/coaching/new?score=77")).status == 404


async def test_immediate_findings_are_there_at_once_and_taken_on_once(centre: Centre) -> None:
    front, clock = centre.front, centre.clock
    await put_verdicts(centre.engine, "1.1", [("no-insult", Outcome.BROKEN, Severity.IMMEDIATE)], clock.now())
    for who in (MON, LEAD, SUPERVISOR):
        assert "/calls/1.1?at=12" in (await front.get(who, "/quality/findings")).text
    part = await front.get(MON, "/quality/findings", **{"HX-Request": "true"})
    assert "no quarrel, no insult" in part.text and "<html" not in part.text
    assert "1.1" not in (await front.get(OTHER, "/quality/findings", **{"HX-Request": "true"})).text
    typed = part.form("/quality/findings")
    assert (await front.post(OTHER, "/quality/findings", typed)).status == 404
    await front.post(MON, "/quality/findings", typed)
    await front.post(LEAD, "/quality/findings", typed)
    page = await front.get(LEAD, "/quality/findings")
    assert "Taken on by mon at 2026-11-26" in page.text
    clock.on(days=8)
    assert "/calls/1.1" not in (await front.get(MON, "/quality/findings")).text


async def test_the_standard_form_is_marked_as_it_says(centre: Centre) -> None:
    """The scale of the sheet is the form's: all well but the greeting gives 94."""
    number = (await centre.drawn())[0]
    await centre.scored(number)
    score = await SqlScores(centre.engine).score(number)
    assert score and score.total == 94.0 and score.call_id in {CallId(f"{n + 1}.1") for n in range(10)}
