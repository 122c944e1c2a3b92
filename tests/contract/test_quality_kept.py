"""What may be relied on in the books of quality work: one suite over SQLite and a real PostgreSQL (Q1, Q3, Q5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Bandwidth, Leg
from calls.errors import NotNow, Overtaken, StorageRefused
from calls.ids import AgentNumber, CallId, FormId, SectionId
from calls.lists import CallName
from calls.people import Scope
from calls.periods import Grain
from calls.quality import (
    Answer,
    Appeal,
    BlindSheet,
    Coaching,
    Form,
    FormVersion,
    Round,
    Ruling,
    Score,
    ScoreState,
    Sheet,
    Step,
)
from calls.sampling import Draw, Drawn, FrameCall, Part, Picked, Risk, SamplingPlan, Shortfall, Stratum
from calls.transcript import LegTranscript
from calls.verdicts import Outcome, Severity
from qa.forms import default_form
from storage.calibrations import SqlCalibrations
from storage.call_lists import SqlCallLists
from storage.callbacks import SqlCallbacks
from storage.coaching import SqlCoaching
from storage.forms import SqlForms
from storage.frames import SqlFrames, Wanted
from storage.quality_figures import OpenWork, SqlQualityFigures
from storage.retention import SqlRetention
from storage.samples import SqlSamples
from storage.scores import ScoreFilter, SqlScores
from storage.transcripts import SqlTranscripts
from storage.verdict_figures import Slice, SqlVerdictFigures
from storage.verdicts import SqlVerdicts
from tests.support_callbacks import follow_up
from tests.support_prepared import dropped, patient_engine, prepared
from tests.support_quality import (
    FORM,
    FORM_ID,
    NOW,
    RULES,
    SHEET,
    at,
    put_call,
    put_verdicts,
    revision,
    score,
)

ALL = Scope(everything=True)
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    opened = patient_engine(address)
    yield opened
    await opened.dispose()
    dropped(address)


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", [FORM, default_form()])
async def test_a_form_is_read_as_it_was_written(engine: AsyncEngine, form: Form) -> None:
    forms = SqlForms(engine)
    made = await forms.create(form, "lead", NOW)
    assert made == FormVersion(FormId("form-1"), 1, form, "lead", NOW)
    assert await forms.version(made.form_id, 1) == made == await forms.draft(made.form_id)
    assert await forms.current(made.form_id) is None
    assert (await forms.create(form, "lead", NOW)).form_id == "form-2"


async def test_a_published_version_never_changes(engine: AsyncEngine) -> None:
    forms = SqlForms(engine)
    draft = await forms.create(FORM, "lead", NOW)
    published = await forms.publish(draft, "lead", at(1))
    for change in (
        forms.save(published, replace(FORM, pass_mark=1), "lead", at(2)),
        forms.save(draft, replace(FORM, pass_mark=1), "lead", at(2)),
        forms.publish(draft, "other", at(2)),
        forms.discard(published),
    ):
        with pytest.raises(Overtaken):
            await change
    assert await forms.version(draft.form_id, 1) == published == await forms.current(draft.form_id)
    assert published.published and published.label == "form-1@1"


async def test_the_next_version_begins_as_a_copy(engine: AsyncEngine) -> None:
    forms = SqlForms(engine)
    assert await forms.begin_draft(FormId("nothing"), "lead", NOW) is None
    first = await forms.publish(await forms.create(FORM, "lead", NOW), "lead", at(1))
    second = await forms.begin_draft(first.form_id, "lead", at(2))
    assert second and (second.version, second.form, second.published) == (2, FORM, False)
    assert await forms.begin_draft(first.form_id, "other", at(3)) == second, "the one there is"
    saved = await forms.save(second, replace(FORM, pass_mark=70), "lead", at(4))
    assert await forms.draft(first.form_id) == saved
    assert await forms.current(first.form_id) == first, "figures go by what is published"
    assert await forms.all() == [saved, first]
    await forms.discard(saved)
    assert await forms.all() == [first]


async def test_of_two_who_change_a_draft_the_second_is_told(engine: AsyncEngine) -> None:
    forms = SqlForms(engine)
    seen = await forms.create(FORM, "ann", NOW)
    saved = await forms.save(seen, replace(FORM, pass_mark=70), "ann", at(1))
    with pytest.raises(Overtaken):
        await forms.save(seen, replace(FORM, pass_mark=60), "bob", at(1))
    assert await forms.draft(seen.form_id) == saved


async def test_forms_made_at_once_have_numbers_of_their_own(engine: AsyncEngine) -> None:
    forms = SqlForms(engine)
    made = await asyncio.gather(*(forms.create(FORM, "lead", NOW) for _ in range(5)))
    assert {each.form_id for each in made} == {f"form-{n}" for n in range(1, 6)}


# ── Samples ──────────────────────────────────────────────────────────────────────────────────────────────────

PLAN = SamplingPlan(
    0,
    "monthly",
    FORM_ID,
    "5eed",
    "lead",
    NOW,
    Grain.WEEK,
    3,
    50,
    frozenset({Stratum.SHIFT}),
    (6, 14, 22),
    (90,),
    20,
    frozenset({INQUIRY}),
    frozenset({Risk.COMPLAINT, Risk.REPEATED}),
)


def picked(call_id: str, agent: str = "1001", part: Part = Part.RANDOM, section: str = "inquiry") -> Picked:
    return Picked(CallId(call_id), AgentNumber(agent), section, part, "06", frozenset({Risk.COMPLAINT}))


def a_draw(plan: SamplingPlan, *picks: Picked, population: int = 9) -> Draw:
    drawn = Drawn(
        "sansheng-draw-1",
        plan.seed,
        "d1ge57",
        9,
        picks,
        (Shortfall(AgentNumber("1001"), Part.RISK, 2, 1),),
        {AgentNumber("1001"): population},
    )
    sections = frozenset({INQUIRY})
    return Draw(0, plan.plan_id, "2026-W48", at(-9000), at(0), "mon", NOW, sections, 3, 50, drawn)


async def test_a_plan_is_read_as_it_was_made(engine: AsyncEngine) -> None:
    samples = SqlSamples(engine)
    first, second = await samples.add(PLAN), await samples.add(replace(PLAN, name="other"))
    assert first == replace(PLAN, plan_id=first.plan_id) == await samples.plan(first.plan_id)
    assert await samples.plans() == [second, first]
    await samples.retire(first.plan_id, at(1))
    await samples.retire(first.plan_id, at(2))
    assert await samples.plan(first.plan_id) == replace(first, retired_at=at(1))
    assert await samples.plan(999) is None


async def test_a_draw_keeps_all_that_is_needed_to_repeat_it(engine: AsyncEngine) -> None:
    samples = SqlSamples(engine)
    plan = await samples.add(PLAN)
    frame = [FrameCall(CallId("1.1"), AgentNumber("1001"), "inquiry", "06", "90-", frozenset({Risk.REPEATED}))]
    draw = a_draw(plan, picked("1.1"), picked("2.1", part=Part.RISK))
    number = await samples.record(draw, plan, frame, "mon")
    assert await samples.draw(number) == replace(draw, draw_id=number)
    assert await samples.frame(number) == (plan, frame)
    assert await samples.earlier(plan.plan_id, "2026-W48") == list(draw.drawn.picked)
    assert await samples.earlier(plan.plan_id, "2026-W48", before_draw=number) == []
    assert await samples.earlier(plan.plan_id, "2026-W47") == []
    assert await samples.draw(999) is None and await samples.frame(999) is None
    queue = await SqlScores(engine).page(ScoreFilter(scope=ALL, assigned_to="mon"))
    assert {(each.call_id, each.part, each.state, each.period, each.stratum) for each in queue} == {
        ("1.1", Part.RANDOM, ScoreState.OPEN, "2026-W48", "06"),
        ("2.1", Part.RISK, ScoreState.OPEN, "2026-W48", "06"),
    }


async def test_no_call_is_drawn_twice_by_a_plan(engine: AsyncEngine) -> None:
    samples = SqlSamples(engine)
    plan, other = await samples.add(PLAN), await samples.add(PLAN)
    await samples.record(a_draw(plan, picked("1.1")), plan, [], "mon")
    with pytest.raises(Overtaken):
        await samples.record(a_draw(plan, picked("2.1"), picked("1.1")), plan, [], "bob")
    assert len(await samples.draws(plan.plan_id)) == 1, "nothing of the second is stored"
    await samples.record(a_draw(other, picked("1.1")), other, [], "mon")


async def test_draws_are_paged_and_the_last_one_says_how_many_calls_there_were(engine: AsyncEngine) -> None:
    samples = SqlSamples(engine)
    plan = await samples.add(PLAN)
    numbers = [
        await samples.record(a_draw(plan, picked(f"{n}.1"), population=n), plan, [], "mon") for n in range(5)
    ]
    newest = await samples.draws(plan.plan_id, limit=2)
    older = await samples.draws(plan.plan_id, before=newest[-1].draw_id, limit=10)
    assert [each.draw_id for each in (*newest, *older)] == numbers[::-1]
    assert await samples.populations(plan.plan_id, "2026-W48") == {"1001": 4}
    assert await samples.periods(plan.plan_id) == ["2026-W48"]


# ── The frame ────────────────────────────────────────────────────────────────────────────────────────────────


def frames(engine: AsyncEngine) -> SqlFrames:
    return SqlFrames(engine, COMPLAINT, ["no-interruption"], ["dead-air"])


WEEK = Wanted(NOW - timedelta(days=7), NOW, 15.0, ALL)


async def test_only_calls_that_can_be_scored_are_in_the_frame(engine: AsyncEngine) -> None:
    day_before = NOW - timedelta(days=1)
    await put_call(engine, "1.1", arrived=day_before)
    await put_call(engine, "2.1", arrived=day_before, agent=None)
    await put_call(engine, "3.1", arrived=day_before, talk_s=14.9)
    await put_call(engine, "4.1", arrived=day_before, recorded=False)
    await put_call(engine, "5.1", arrived=day_before, deleted=NOW)
    await put_call(engine, "6.1", arrived=day_before, trunk="synthetic")
    await put_call(engine, "7.1", arrived=day_before, trunk="1001")
    await put_call(engine, "8.1", arrived=NOW)
    await put_call(engine, "9.1", arrived=NOW - timedelta(days=8))
    (found,) = await frames(engine).candidates(WEEK)
    assert (found.call_id, found.agent, found.section, found.talk_s) == ("1.1", "1001", "inquiry", 100)
    assert found.arrived_at == day_before and found.risks == frozenset()


async def test_the_frame_ends_where_the_drawers_scope_and_the_plan_end(engine: AsyncEngine) -> None:
    day_before = NOW - timedelta(days=1)
    for number, section in enumerate(["inquiry", "complaint", "ticketing", None]):
        await put_call(engine, f"{number}.1", arrived=day_before, section=section)

    async def found(**changes: object) -> list[str]:
        wanted = replace(WEEK, **changes)  # type: ignore[arg-type]
        return [each.call_id for each in await frames(engine).candidates(wanted)]

    assert await found() == ["0.1", "1.1", "2.1", "3.1"]
    assert await found(scope=Scope(sections=frozenset({INQUIRY, COMPLAINT}))) == ["0.1", "1.1"]
    assert await found(scope=Scope(sections=frozenset({INQUIRY})), sections=frozenset({COMPLAINT})) == []
    assert await found(sections=frozenset({COMPLAINT})) == ["1.1"]
    assert await found(scope=Scope()) == []


async def test_risks_are_found(engine: AsyncEngine) -> None:
    day_before = NOW - timedelta(days=1)
    calls_ = {
        "1.1": [("no-insult", Outcome.BROKEN, Severity.IMMEDIATE)],
        "2.1": [("no-insult", Outcome.KEPT, Severity.IMMEDIATE), ("thanks", Outcome.BROKEN, Severity.MINOR)],
        "3.1": [("no-interruption", Outcome.BROKEN, Severity.MAJOR)],
        "4.1": [("dead-air", Outcome.BROKEN, Severity.MINOR), ("greeting", Outcome.BROKEN, Severity.MAJOR)],
    }
    for call_id, said in calls_.items():
        await put_call(engine, call_id, arrived=day_before, caller=f"tel-{call_id}")
        await put_verdicts(engine, call_id, said)
    await put_call(engine, "5.1", arrived=day_before, section="complaint")
    await put_call(engine, "6.1", arrived=NOW - timedelta(days=7), caller="again")
    await put_call(engine, "7.1", arrived=NOW - timedelta(days=4), caller="again")
    await put_call(engine, "8.1", arrived=NOW - timedelta(hours=2), caller="again")
    await put_call(engine, "9.1", arrived=NOW + timedelta(days=1), caller="tel-2.1", talk_s=1, recorded=False)
    found = {each.call_id: set(each.risks) for each in await frames(engine).candidates(WEEK)}
    assert found == {
        "1.1": {Risk.RULE_BROKEN},
        "2.1": {Risk.REPEATED},
        "3.1": {Risk.INTERRUPTION},
        "4.1": {Risk.LONG_SILENCE, Risk.RULE_BROKEN},
        "5.1": {Risk.COMPLAINT},
        "6.1": {Risk.REPEATED},
        "7.1": {Risk.REPEATED},
        "8.1": set(),
    }


# ── Scores ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def book(engine: AsyncEngine) -> SqlScores:
    return SqlScores(engine)


async def opened(book: SqlScores, *more: Score) -> list[Score]:
    found = [await book.score(await book.open(each)) for each in (score(), *more)]
    assert all(found)
    return [each for each in found if each]


def step(what: str, by: str = "mon", note: str = "") -> Step:
    return Step(at(1), by, what, note)


async def scored(book: SqlScores, of: Score) -> Score:
    await book.hand_in(of, revision(of), ScoreState.SCORED, step("hand_in"), at(60))
    found = await book.score(of.score_id)
    assert found
    return found


async def test_a_sheet_is_read_as_it_was_handed_in(book: SqlScores) -> None:
    (first,) = await opened(book)
    assert first == replace(score(), score_id=first.score_id)
    assert await book.revisions(first.score_id) == []
    now = await scored(book, first)
    assert await book.revisions(first.score_id) == [revision(first)]
    assert now == replace(
        first,
        state=ScoreState.SCORED,
        revision=1,
        form_version=1,
        total=91.5,
        scored_by="mon",
        scored_at=at(1),
        appeal_until=at(60),
    )
    assert await book.steps(first.score_id) == [step("hand_in")]
    assert await book.score(999) is None


async def test_a_call_picked_by_hand_twice_is_scored_once(book: SqlScores) -> None:
    assert await book.open(score()) == await book.open(score())
    assert await book.open(score("2.1")) != await book.open(score())


async def test_revisions_stand_beside_each_other(book: SqlScores) -> None:
    (first,) = await opened(book)
    now = await scored(book, first)
    better = revision(now, "lead", 95.0, why="a note was wrong")
    await book.hand_in(now, better, ScoreState.SCORED, step("revise", "lead"), at(90))
    assert await book.revisions(first.score_id) == [revision(first), better]
    latest = await book.score(first.score_id)
    assert latest and (latest.revision, latest.total, latest.scored_by) == (2, 95.0, "lead")
    with pytest.raises((Overtaken, StorageRefused)):
        await book.hand_in(latest, revision(first), ScoreState.SCORED, step("again"), at(90))


async def test_of_two_who_hand_in_at_once_the_second_loses_nothing(book: SqlScores) -> None:
    (seen,) = await opened(book)
    await book.save_draft(seen, "bob", SHEET, 0, NOW)
    results = await asyncio.gather(
        book.hand_in(seen, revision(seen, "mon"), ScoreState.SCORED, step("hand_in"), at(60)),
        book.hand_in(seen, revision(seen, "mon", 10.0), ScoreState.SCORED, step("hand_in"), at(60)),
        return_exceptions=True,
    )
    assert [type(each) for each in results if each is not None] == [Overtaken]
    with pytest.raises(Overtaken):
        await book.hand_in(seen, revision(seen, "bob"), ScoreState.SCORED, step("hand_in", "bob"), at(60))
    kept = await book.draft(seen.score_id, "bob")
    assert kept and kept.sheet == SHEET
    assert len(await book.revisions(seen.score_id)) == 1 == len(await book.steps(seen.score_id))


async def test_drafts_are_ones_own_and_end_with_the_revision(book: SqlScores) -> None:
    (seen,) = await opened(book)
    assert await book.draft(seen.score_id, "mon") is None
    half = Sheet(answers=(Answer("greeting", None),))
    assert await book.save_draft(seen, "mon", half, 0, NOW) == 1
    assert await book.save_draft(seen, "mon", SHEET, 1, at(1)) == 2
    await book.save_draft(seen, "bob", half, 0, NOW)
    kept = await book.draft(seen.score_id, "mon")
    assert kept and (kept.sheet, kept.edit, kept.saved_at) == (SHEET, 2, at(1))
    for stale in (0, 1, 3):
        with pytest.raises(Overtaken):
            await book.save_draft(seen, "mon", half, stale, at(2))
    await scored(book, seen)
    assert await book.draft(seen.score_id, "mon") is None
    other = await book.draft(seen.score_id, "bob")
    assert other and other.sheet == half


async def test_the_way_of_an_appeal_that_is_turned_down(book: SqlScores) -> None:
    (first,) = await opened(book)
    now = await scored(book, first)
    appeal = Appeal(first.score_id, "I did greet", "agent", at(2))
    await book.object(now, appeal, step("appeal", "agent", "I did greet"))
    with pytest.raises(Overtaken):
        await book.acknowledge(now, step("acknowledge", "agent"))
    with pytest.raises(Overtaken):
        await book.object(now, appeal, step("appeal", "agent"))
    assert await book.appeal(first.score_id) == appeal
    appealed = await book.score(first.score_id)
    assert appealed and appealed.state is ScoreState.APPEALED
    await book.uphold(appealed, step("uphold", "lead", "not to be heard"))
    assert await book.appeal(first.score_id) == replace(
        appeal, decided_by="lead", decided_at=at(1), upheld=True, decision="not to be heard"
    )
    assert [each.what for each in await book.steps(first.score_id)] == ["hand_in", "appeal", "uphold"]
    upheld = await book.score(first.score_id)
    assert upheld and (upheld.state, upheld.total, upheld.revision) == (ScoreState.UPHELD, 91.5, 1)


async def test_the_way_of_an_appeal_that_is_allowed(book: SqlScores) -> None:
    (first,) = await opened(book)
    await book.object(await scored(book, first), Appeal(first.score_id, "why", "agent", at(2)), step("appeal"))
    appealed = await book.score(first.score_id)
    assert appealed
    better = revision(appealed, "lead", 100.0, why="appeal")
    await book.hand_in(appealed, better, ScoreState.CHANGED, step("change", "lead", "right"), None)
    decided, changed = await book.appeal(first.score_id), await book.score(first.score_id)
    assert decided and (decided.upheld, decided.decision) == (False, "right")
    assert changed and (changed.state, changed.total, changed.revision) == (ScoreState.CHANGED, 100.0, 2)
    assert [each.marked.total for each in await book.revisions(first.score_id)] == [91.5, 100.0]


async def test_an_acknowledgement(book: SqlScores) -> None:
    (first,) = await opened(book)
    now = await scored(book, first)
    await book.acknowledge(now, step("acknowledge", "agent"))
    found = await book.score(first.score_id)
    assert found and found.state is ScoreState.ACKNOWLEDGED
    assert await book.appeal(first.score_id) is None


async def test_a_score_is_handed_to_somebody_else_until_it_is_scored(book: SqlScores) -> None:
    (first,) = await opened(book)
    await book.assign(first.score_id, "bob", step("assign", "lead", "bob"))
    found = await book.score(first.score_id)
    assert found and found.assigned_to == "bob"
    await scored(book, found)
    with pytest.raises(Overtaken):
        await book.assign(first.score_id, "mon", step("assign", "lead"))


async def test_lists_of_scores_end_where_the_readers_scope_ends(book: SqlScores) -> None:
    made = await opened(book, score("2.1", "1002", "complaint"), score("3.1", "1002"), score("4.1", "1003", None))

    async def found(scope: Scope, **more: object) -> set[str]:
        which = ScoreFilter(scope=scope, **more)  # type: ignore[arg-type]
        listed = await book.page(which)
        assert await book.count(which) == len(listed)
        return {each.call_id for each in listed}

    assert await found(ALL) == {"1.1", "2.1", "3.1", "4.1"}
    assert await found(Scope(sections=frozenset({INQUIRY}))) == {"1.1", "3.1"}
    assert await found(Scope(agent=AgentNumber("1002"))) == {"2.1", "3.1"}
    assert await found(Scope(sections=frozenset({COMPLAINT}), agent=AgentNumber("1001"))) == {"1.1", "2.1"}
    assert await found(Scope()) == set()
    assert await found(ALL, agent=AgentNumber("1003")) == {"4.1"}
    assert await found(ALL, call_id=CallId("3.1")) == {"3.1"}
    assert await found(ALL, assigned_to="bob") == set()
    await scored(book, made[0])
    assert await found(ALL, states=(ScoreState.SCORED,)) == {"1.1"}
    assert await found(ALL, states=()) == set()


async def test_lists_of_scores_are_paged(book: SqlScores) -> None:
    await opened(book, *(score(f"{n}.2") for n in range(6)))
    which = ScoreFilter(scope=ALL)
    first = await book.page(which, limit=3)
    second = await book.page(which, before=first[-1].score_id, limit=3)
    third = await book.page(which, before=second[-1].score_id, limit=3)
    numbers = [each.score_id for each in (*first, *second, *third)]
    assert numbers == sorted(set(numbers), reverse=True) and len(numbers) == 7


async def test_results_are_made_of_what_stands(engine: AsyncEngine, book: SqlScores) -> None:
    samples = SqlSamples(engine)
    plan = await samples.add(PLAN)
    await samples.record(a_draw(plan, picked("1.1"), picked("2.1")), plan, [], "mon")
    await book.open(score("3.1"))
    for each in await book.page(ScoreFilter(scope=ALL)):
        if each.call_id != "2.1":
            await scored(book, each)
    (only,) = await book.standing(plan.plan_id, "2026-W48", ALL)
    assert only.call_id == "1.1" and only.total == 91.5
    assert await book.standing(plan.plan_id, "2026-W48", Scope(sections=frozenset({COMPLAINT}))) == []


async def test_what_quotes_the_caller_goes_with_the_recording(engine: AsyncEngine, book: SqlScores) -> None:
    await put_call(engine, "1.1")
    (first,) = await opened(book)
    await scored(book, first)
    await book.save_draft(first, "bob", SHEET, 0, NOW)
    rounds = SqlCalibrations(engine)
    round_ = await rounds.begin(ROUND)
    await rounds.hand_in(BlindSheet(round_.round_id, CallId("1.1"), "ann", SHEET, 90.0, NOW))
    await rounds.save_draft(round_.round_id, CallId("1.1"), "bob", SHEET, 0, NOW)
    assert await SqlRetention(engine).bury(CallId("1.1"), at(5), "service", "due")
    (kept,) = await book.revisions(first.score_id)
    assert kept.sheet == replace(SHEET, remarks=()) and kept.marked.total == 91.5
    assert await book.draft(first.score_id, "bob") is None
    (blind,) = await rounds.sheets(round_.round_id)
    assert blind.sheet.remarks == () and await rounds.draft(round_.round_id, CallId("1.1"), "bob") is None
    now = await book.score(first.score_id)
    assert now
    await book.hand_in(now, revision(now), ScoreState.SCORED, step("revise"), at(60))
    await book.save_draft(now, "cid", SHEET, 0, NOW)
    assert (await book.revisions(first.score_id))[1].sheet.remarks == (), "nor is it written again"
    assert await book.draft(first.score_id, "cid") is None


# ── Overruled verdicts, immediate findings ───────────────────────────────────────────────────────────────────


async def test_the_share_of_overruled_verdicts_counts_revisions_that_stand(
    engine: AsyncEngine, book: SqlScores
) -> None:
    figures = SqlQualityFigures(engine)
    first, second = await opened(book, score("2.1", "1002", "complaint"))
    agreed = replace(SHEET, rulings=(Ruling(RULES, "greeting", Outcome.BROKEN, Outcome.BROKEN),))
    await book.hand_in(first, revision(first, sheet=agreed), ScoreState.SCORED, step("hand_in"), at(60))
    await scored(book, second)
    inquiry = Scope(sections=frozenset({INQUIRY}))

    async def counted(scope: Scope) -> dict[tuple[str, Outcome], tuple[int, int]]:
        found = await figures.overruled(scope, at(-1))
        return {(each.rule, each.outcome): (each.looked_at, each.overruled) for each in found}

    assert await counted(ALL) == {("greeting", Outcome.BROKEN): (2, 1), ("thanks", Outcome.KEPT): (1, 0)}
    assert await counted(inquiry) == {("greeting", Outcome.BROKEN): (1, 0)}
    (objection,) = await figures.objections(ALL, "greeting", at(-1))
    assert (objection.call_id, objection.ruled, objection.reason) == ("2.1", Outcome.KEPT, "said in dialect")
    assert await figures.objections(inquiry, "greeting", at(-1)) == []
    now = await book.score(second.score_id)
    assert now
    await book.hand_in(now, revision(now, sheet=agreed), ScoreState.SCORED, step("revise"), at(60))
    assert (await counted(ALL))["greeting", Outcome.BROKEN] == (2, 0)
    assert await figures.overruled(ALL, at(24 * 60)) == []


async def test_immediate_findings_and_who_took_them_on(engine: AsyncEngine) -> None:
    figures = SqlQualityFigures(engine)
    await put_call(engine, "1.1")
    await put_call(engine, "2.1", section="complaint")
    await put_call(engine, "3.1")
    bad = ("no-insult", Outcome.BROKEN, Severity.IMMEDIATE)
    await put_verdicts(engine, "1.1", [bad, ("greeting", Outcome.BROKEN, Severity.MAJOR)], at(2))
    await put_verdicts(engine, "2.1", [bad], at(3))
    await put_verdicts(engine, "3.1", [("no-insult", Outcome.CANNOT_JUDGE, Severity.IMMEDIATE)], at(3))
    newest, older = await figures.urgent(ALL, at(-60))
    assert (newest.call_id, older.call_id) == ("2.1", "1.1")
    assert (older.rule, older.rule_set, older.section, older.first_s) == ("no-insult", RULES, "inquiry", 12.0)
    assert older.ended_at == NOW + timedelta(seconds=100) and older.judged_at == at(2)
    assert [each.call_id for each in await figures.urgent(Scope(sections=frozenset({COMPLAINT})), at(-60))] == [
        "2.1"
    ]
    assert await figures.urgent(ALL, at(4)) == []
    assert await figures.urgent(ALL, at(-60), before=(newest.judged_at, newest.call_id)) == [older]
    for who in ("mon", "bob"):
        await figures.seen(CallId("1.1"), RULES, "no-insult", who, at(5))
    _, taken = await figures.urgent(ALL, at(-60))
    assert (taken.seen_by, taken.seen_at) == ("mon", at(5)), "the first stands"


async def test_immediate_findings_of_calling_back_are_among_them(engine: AsyncEngine) -> None:
    figures, callbacks = SqlQualityFigures(engine), SqlCallbacks(engine)
    new = follow_up(COMPLAINT, NOW, at(60))
    await callbacks.enlist(new, NOW)
    taken = await callbacks.take_next(AgentNumber("2001"), None, NOW)
    assert taken
    attempt = (await callbacks.begin(taken, "hotline", NOW)).id
    await put_call(engine, "1.1")
    bad = ("no-insult", Outcome.BROKEN, Severity.IMMEDIATE)
    for call_id, minute in (("1.1", 2), (attempt, 3), ("callback_99.1", 4)):
        await put_verdicts(engine, call_id, [bad], at(minute))
    newest, older = await figures.urgent(ALL, at(-60))
    assert (newest.call_id, newest.section, newest.agent) == (attempt, COMPLAINT, "2001")
    assert newest.of_attempt and not older.of_attempt and older.call_id == "1.1"
    assert await figures.urgent(ALL, at(-60), before=(newest.judged_at, newest.call_id)) == [older]
    assert await figures.urgent(ALL, at(-60), limit=1) == [newest]
    assert await figures.urgent(Scope(sections=frozenset({INQUIRY})), at(-60)) == [older]
    verdicts = SqlVerdictFigures(engine)
    assert await verdicts.immediate(at(-60), at(-60)) == 2
    assert await verdicts.immediate(at(-60), at(1)) == 0
    leg = LegTranscript(Leg.AGENT, "zh-CN", "vosk", "small", 4.0, Bandwidth.WIDE, (), ())
    await SqlTranscripts(engine).store(attempt, leg)
    await SqlTranscripts(engine).store(CallId("1.1"), leg)
    book = SqlVerdicts(engine)
    assert await book.transcribed_attempts(Slice(NOW, at(1), COMPLAINT, AgentNumber("2001"))) == [attempt]
    for other in (Slice(since=at(1)), Slice(until=NOW), Slice(section=INQUIRY), Slice(agent=AgentNumber("1001"))):
        assert await book.transcribed_attempts(other) == []
    names = await SqlCallLists(engine).named({CallId("1.1"), attempt})
    assert names[attempt] == CallName(NOW, COMPLAINT) and len(names) == 2


async def test_what_is_open_is_counted(engine: AsyncEngine, book: SqlScores) -> None:
    figures = SqlQualityFigures(engine)
    assert await figures.open_work() == OpenWork(0, 0, 0, 0, 0)
    first, second, _ = await opened(book, score("2.1"), score("3.1"))
    await scored(book, first)
    await book.object(await scored(book, second), Appeal(second.score_id, "why", "a", at(2)), step("appeal"))
    await SqlCoaching(engine).add(TASK)
    assert await figures.open_work() == OpenWork(1, 1, 1, 1, 2)


# ── Coaching ─────────────────────────────────────────────────────────────────────────────────────────────────

TASK = Coaching(0, AgentNumber("1001"), INQUIRY, "greet", date(2026, 12, 1), "lead", NOW, CallId("1.1"), 12.5)


async def test_a_coaching_task_from_beginning_to_end(engine: AsyncEngine) -> None:
    book = SqlCoaching(engine)
    task = await book.add(TASK)
    assert task == replace(TASK, task_id=task.task_id) == await book.task(task.task_id)
    await book.done(task.task_id, "lead", at(5), "talked it through")
    done = replace(task, done_by="lead", done_at=at(5), done_note="talked it through")
    assert await book.task(task.task_id) == done
    with pytest.raises(NotNow):
        await book.done(task.task_id, "bob", at(6), "")
    with pytest.raises(NotNow):
        await book.done(999, "bob", at(6), "")
    assert await book.task(999) is None


async def test_lists_of_tasks_end_where_the_readers_scope_ends(engine: AsyncEngine) -> None:
    book = SqlCoaching(engine)
    made = [
        await book.add(replace(TASK, agent=AgentNumber(agent), section=section))
        for agent, section in (("1001", INQUIRY), ("1002", COMPLAINT), ("1001", None))
    ]
    await book.done(made[0].task_id, "lead", at(5), "")
    assert [each.task_id for each in await book.tasks(ALL)] == [each.task_id for each in made[::-1]]
    assert [each.agent for each in await book.tasks(Scope(sections=frozenset({COMPLAINT})))] == ["1002"]
    own = Scope(agent=AgentNumber("1001"))
    assert [each.task_id for each in await book.tasks(own, is_open=True)] == [made[2].task_id]
    assert [each.task_id for each in await book.tasks(own, is_open=False)] == [made[0].task_id]
    assert await book.tasks(own, before=made[0].task_id) == []
    assert len(await book.tasks(ALL, limit=2)) == 2


# ── Calibration ──────────────────────────────────────────────────────────────────────────────────────────────

ROUND = Round(
    0, "November", FORM_ID, 1, frozenset({INQUIRY}), (CallId("1.1"), CallId("2.1")), ("ann", "bob"), "lead", NOW
)


async def test_a_round_is_read_as_it_was_begun(engine: AsyncEngine) -> None:
    book = SqlCalibrations(engine)
    first, second = await book.begin(ROUND), await book.begin(replace(ROUND, name="December"))
    assert first == replace(ROUND, round_id=first.round_id) == await book.round(first.round_id)
    assert await book.rounds() == [second, first]
    assert await book.rounds(before=second.round_id) == [first] == (await book.rounds(limit=2))[1:]
    assert await book.round(999) is None


async def test_a_blind_sheets_draft_lasts_until_it_is_handed_in_or_the_round_is_closed(
    engine: AsyncEngine,
) -> None:
    book = SqlCalibrations(engine)
    round_, call = (await book.begin(ROUND)).round_id, CallId("1.1")
    other = replace(SHEET, summary="on second thoughts")
    assert await book.save_draft(round_, call, "ann", SHEET, 0, at(1)) == 1
    assert await book.save_draft(round_, call, "bob", SHEET, 0, at(1)) == 1
    with pytest.raises(Overtaken):
        await book.save_draft(round_, call, "ann", other, 0, at(2))
    assert await book.save_draft(round_, call, "ann", other, 1, at(2)) == 2
    draft = await book.draft(round_, call, "ann")
    assert draft and (draft.sheet, draft.edit, draft.saved_at) == (other, 2, at(2))
    await book.hand_in(BlindSheet(round_, call, "ann", other, 91.5, at(3)))
    assert await book.draft(round_, call, "ann") is None
    with pytest.raises(Overtaken):
        await book.save_draft(round_, call, "ann", other, 0, at(4))
    assert await book.draft(round_, call, "bob"), "another's stays"
    await book.close(round_, at(5))
    assert await book.draft(round_, call, "bob") is None
    with pytest.raises(Overtaken):
        await book.save_draft(round_, call, "bob", SHEET, 1, at(6))


async def test_a_blind_sheet_is_handed_in_once_and_while_the_round_is_open(engine: AsyncEngine) -> None:
    book = SqlCalibrations(engine)
    round_ = await book.begin(ROUND)
    blind = BlindSheet(round_.round_id, CallId("1.1"), "ann", SHEET, 91.5, at(1))
    await book.hand_in(blind)
    with pytest.raises(Overtaken):
        await book.hand_in(replace(blind, total=1.0))
    assert await book.sheets(round_.round_id) == [blind]
    await book.close(round_.round_id, at(5))
    await book.close(round_.round_id, at(6))
    closed = await book.round(round_.round_id)
    assert closed and closed.closed_at == at(5)
    with pytest.raises(Overtaken):
        await book.hand_in(replace(blind, by="bob"))
