"""Who calls back, when, and what is never dialled: the desk with a real list and a link that notes (A5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from calls.callbacks import AttemptOutcome, CallBack, CallbackState, NewCallback, Origin
from calls.errors import AmiLinkDown, AmiRefused, CallbackError, NumberRefused
from calls.events import CallbackStep
from calls.ids import AgentNumber, Language, SectionId, attempt_id
from calls.live import LinkNow
from ivr.ami.link import LinkState
from service.callback_agi import CallbackNumber, CallbackTaking
from service.callback_list import NUMBER_REFUSED
from service.settings import Settings
from storage.engine import open_engine
from tests.support_callbacks import DIALS, INQUIRY, NIGHT, NOON, ONE, OTHER, Office, told
from tests.support_ledger import CALLER, Ring, story
from tests.support_prepared import dropped, prepared
from tests.support_surveys import surveyed


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url = await prepared("sqlite", tmp_path)
    engine = open_engine(url)
    yield Office(engine, Settings.model_validate(DIALS))
    await engine.dispose()
    dropped(url)


async def test_a_promise_is_listed_with_its_time_and_place(office: Office) -> None:
    listed = await office.promised(trunk="city")
    assert (listed.origin, listed.telephone, listed.state) == (Origin.PROMISE, CALLER, CallbackState.WAITING)
    assert listed.place == NOON + timedelta(seconds=5)
    assert listed.due_at == NOON + timedelta(seconds=60, minutes=120)


async def test_a_number_that_is_not_called_is_listed_for_a_person_to_see(office: Office) -> None:
    office.settings = office.settings.model_copy(
        update={"callbacks": office.settings.callbacks.model_copy(update={"prefixes": ("0",)})}
    )
    office.__post_init__()
    listed = await office.promised(trunk="city")
    assert (listed.state, listed.note) == (CallbackState.GIVEN_UP, NUMBER_REFUSED)
    with pytest.raises(CallbackError):
        await office.desk.take(listed.number, ONE)


async def test_the_dissatisfied_are_listed_where_that_is_wanted(office: Office) -> None:
    for change in await office.ledger.record(surveyed("1.1", level=5, start=NOON)):
        office.keeper.on_change(change)
    await office.keeper.look()
    assert [each.origin for each in await office.desk.waiting()] == [Origin.DISSATISFIED]


async def test_what_is_dialled_names_no_number_and_is_written_down_before(office: Office) -> None:
    listed = await office.promised(trunk="city")
    office.link.fails = AmiLinkDown("nobody knows whether it was carried out")
    taken = await office.desk.take(listed.number, ONE)
    assert await office.desk.take_next(ONE) == taken  # what they have in hand
    attempt = await office.desk.dial(listed.number, ONE)
    ((action, fields),) = office.link.actions
    assert (action, fields["Channel"], fields["ChannelId"]) == ("Originate", "PJSIP/1001", attempt.id)
    assert CALLER not in repr(office.link.actions)
    (kept,) = await office.desk.attempts(listed.number)
    assert kept.began_at == NOON and kept.outcome is None
    with pytest.raises(CallbackError):
        await office.desk.dial(listed.number, ONE)
    with pytest.raises(CallbackError):
        await office.desk.take_next(ONE)  # who is calling takes no other


async def test_an_attempt_of_which_nothing_is_heard_is_over_when_asterisk_has_no_such_channel(
    office: Office,
) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    attempt = await office.desk.dial(listed.number, ONE)
    office.clock.moment += timedelta(minutes=1)
    office.link.channels = [{"Uniqueid": attempt.id, "Channel": "PJSIP/1001-00000001"}]
    await office.keeper.look()
    assert [each.outcome for each in await office.desk.attempts(listed.number)] == [None]
    office.link.channels = []
    await office.keeper.look()
    assert [each.outcome for each in await office.desk.attempts(listed.number)] == [AttemptOutcome.UNKNOWN]
    after = await office.desk.get(listed.number)
    assert after and (after.state, after.tries) == (CallbackState.WAITING, 0)


async def test_of_another_asterisks_channels_nothing_is_concluded(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    await office.desk.dial(listed.number, ONE)
    office.settings = office.settings.model_copy(update={"instance": "other"})
    office.__post_init__()
    office.clock.moment += timedelta(hours=1)
    await office.keeper.look()
    assert [each.outcome for each in await office.desk.attempts(listed.number)] == [None]


async def test_who_was_reached_is_not_called_again_though_the_end_was_told_first(office: Office) -> None:
    """The link tells the end of an attempt at once, the file what came before it a moment later."""
    listed = await office.promised(trunk="city")
    assert office.owed == 1
    await office.desk.take(listed.number, ONE)
    await office.desk.dial(listed.number, ONE)
    await office.told(listed.number, 1, CallbackStep.AGENT_ANSWERED, CallbackStep.ENDED)
    office.late = [(listed.number, 1, (CallbackStep.DIALLED, CallbackStep.ANSWERED, CallbackStep.CONNECTED))]
    await office.keeper.look()
    after = await office.desk.get(listed.number)
    assert after and after.state is CallbackState.KEPT


async def test_a_promise_that_comes_while_the_list_is_looked_at_is_not_overlooked(office: Office) -> None:
    first = await office.ledger.record(story("1.1", asked=5, promised=60, ended=62, start=NOON, trunk="city"))
    second = await office.ledger.record(story("2.1", asked=5, promised=60, ended=62, start=NOON, trunk="city"))
    office.keeper.on_change(first[0])
    looking = asyncio.create_task(office.keeper.look())
    await asyncio.sleep(0)
    office.keeper.on_change(second[0])
    await looking
    await office.keeper.look()
    assert {one.call_id for one in await office.desk.waiting()} == {"1.1", "2.1"}


async def test_while_the_link_is_down_nothing_is_taken_for_over(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    await office.desk.dial(listed.number, ONE)
    office.clock.moment += timedelta(hours=1)
    office.picture = replace(office.picture, link=LinkNow.DOWN)
    await office.keeper.look()
    assert [each.outcome for each in await office.desk.attempts(listed.number)] == [None]


async def test_an_action_that_asterisk_refuses_is_an_attempt_that_rang_nobody(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    office.link.fails = AmiRefused("no such extension")
    await office.desk.dial(listed.number, ONE)
    assert [each.outcome for each in await office.desk.attempts(listed.number)] == [AttemptOutcome.AGENT_MISSED]
    after = await office.desk.get(listed.number)
    assert after and (after.state, after.tries) == (CallbackState.WAITING, 0)


async def test_without_a_link_or_a_trunk_or_at_night_nobody_is_called(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    office.link.state = LinkState.DOWN
    with pytest.raises(CallbackError, match="link"):
        await office.desk.dial(listed.number, ONE)
    office.link.state, office.clock.moment = LinkState.UP, NIGHT
    for refused in (office.desk.dial(listed.number, ONE), office.desk.take_next(OTHER)):
        with pytest.raises(CallbackError, match="08:30-20:30"):
            await refused
    office.settings, office.clock.moment = Settings(), NOON
    office.__post_init__()
    with pytest.raises(CallbackError, match="trunk"):
        await office.desk.dial(listed.number, ONE)
    assert office.link.actions == [] and await office.desk.attempts(listed.number) == []


async def test_the_number_is_told_to_the_attempt_that_is_under_way_and_to_nothing_else(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    attempt = await office.desk.dial(listed.number, ONE)
    assert await office.desk.number_for(attempt.id) == (CALLER, "city")
    for other in (attempt_id(listed.number, 2), attempt_id(99, 1), "hotline-1.1", "", "callback_x.y"):
        assert await office.desk.number_for(other) is None
    office.clock.moment = NIGHT
    assert await office.desk.number_for(attempt.id) is None
    office.clock.moment = NOON
    await office.told(listed.number, 1, CallbackStep.AGENT_ANSWERED, CallbackStep.CONNECTED, CallbackStep.ENDED)
    await office.keeper.look()
    assert await office.desk.number_for(attempt.id) is None  # over: nobody is dialled twice
    kept = await office.desk.get(listed.number)
    assert kept and kept.state is CallbackState.KEPT


async def test_only_who_took_it_dials_and_only_agents_take(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    with pytest.raises(CallbackError):
        await office.desk.dial(listed.number, OTHER)
    with pytest.raises(CallbackError):
        await office.desk.take(listed.number, OTHER)
    with pytest.raises(CallbackError, match="roster"):
        await office.desk.take_next(AgentNumber("7777"))
    with pytest.raises(CallbackError):
        await office.desk.take(99, ONE)


async def test_who_forgets_it_loses_it(office: Office) -> None:
    listed = await office.promised(trunk="city")
    await office.desk.take(listed.number, ONE)
    office.clock.moment += timedelta(minutes=5, seconds=1)
    await office.keeper.look()
    after = await office.desk.get(listed.number)
    assert after and (after.state, after.agent) == (CallbackState.WAITING, None)
    assert [change.why for change in await office.desk.history(listed.number)][-1] == "not_called"


async def test_given_to_who_has_waited_longest_while_enough_are_ready(office: Office) -> None:
    listed = await office.promised(trunk="city")
    for agents, waiting in (((ONE,), 0), ((ONE, OTHER), 1), ((), 0)):
        office.ready(*agents, waiting=waiting)
        await office.keeper.look()
    assert office.link.actions == []
    office.clock.moment = NIGHT
    office.ready(ONE, OTHER)
    await office.keeper.look()
    assert office.link.actions == []
    office.clock.moment = NOON
    section = listed.section
    office.picture = replace(
        office.picture,
        agents=tuple(replace(agent, sections=(cast("SectionId", section),)) for agent in office.picture.agents),
    )
    await office.keeper.look()
    while office.desk.calling:
        await asyncio.sleep(0)
    ((_, fields),) = office.link.actions
    assert fields["Channel"] == "PJSIP/1001"


async def test_a_follow_up_is_listed_once_and_its_number_checked(office: Office) -> None:
    due = NOON + timedelta(days=1)
    first = await office.desk.follow_up(told(), "13800138000", due)
    again = await office.desk.follow_up(told(), "13800138000", due)
    second = await office.desk.follow_up(told(nth=14), "13800138000", due)
    assert first == again and second.number != first.number
    assert await office.desk.of_case("TS2026-00001") == [first, second]
    with pytest.raises(NumberRefused):
        await office.desk.follow_up(told(nth=21), "16812345", due)


async def two_for_one(office: Office) -> tuple[CallBack, CallBack]:
    """Two promises to one number, one of which is late by now."""

    async def listed(about: str, within_min: int) -> CallBack:
        new = NewCallback(
            origin=Origin.PROMISE,
            about=about,
            telephone=CALLER,
            language=Language("zh-CN"),
            due_at=NOON + timedelta(minutes=within_min),
            place=NOON,
            section=INQUIRY,
        )
        return await office.desk.book.enlist(new, NOON)

    return await listed("1.1", -5), await listed("2.1", 30)


async def test_one_dialling_serves_all_of_a_number_and_each_promise_counts(office: Office) -> None:
    late, soon = await two_for_one(office)
    taken = await office.desk.take(soon.number, ONE)
    assert [each.number for each in await office.desk.together(taken)] == [late.number]
    attempt = await office.desk.dial(soon.number, ONE)
    office.link.channels = [{"Uniqueid": attempt.id, "Channel": "PJSIP/1001-00000001"}]
    with pytest.raises(CallbackError, match="already"):
        await office.desk.dial(late.number, ONE)
    office.clock.moment += timedelta(hours=1)  # a long talk: who is on the telephone has not forgotten the other
    await office.keeper.look()
    assert (await office.desk.get(late.number)) == replace(taken, **_same(late))  # type: ignore[arg-type]
    heard = (CallbackStep.AGENT_ANSWERED, CallbackStep.DIALLED, CallbackStep.CONNECTED, CallbackStep.ENDED)
    office.clock.moment = NOON + timedelta(minutes=1)
    await office.told(soon.number, 1, *heard)
    await office.keeper.look()
    first, second = await office.desk.get(soon.number), await office.desk.get(late.number)
    assert first and second
    assert (first.state, second.state) == (CallbackState.KEPT, CallbackState.BROKEN)
    assert first.reached_at == second.reached_at and (second.attempts, second.tries) == (0, 1)
    assert await office.desk.attempts(late.number) == await office.desk.attempts(soon.number)
    assert len(office.link.actions) == 1
    # Who answered was somebody else: both wait again.
    await office.desk.again(late.number, ONE)
    assert {each.number for each in await office.desk.waiting()} == {late.number, soon.number}


async def test_not_reached_counts_for_each_and_each_has_its_own_tries(office: Office) -> None:
    first, second = await two_for_one(office)
    for attempt in range(office.desk.policy.tries):
        if attempt == 1:  # the second came onto the list only after the first try
            again = await office.desk.get(second.number)
            assert again and again.tries == 1
            await office.desk.book.move(again, replace(again, tries=0), "test", "")
        await office.desk.take(first.number, ONE)
        await office.desk.dial(first.number, ONE)
        over = (CallbackStep.AGENT_ANSWERED, CallbackStep.DIALLED, CallbackStep.RESULT, CallbackStep.ENDED)
        await office.told(first.number, attempt + 1, *over, said="NOANSWER")
        await office.keeper.look()
    states = [each.state for number in (first, second) if (each := await office.desk.get(number.number))]
    assert states == [CallbackState.GIVEN_UP, CallbackState.WAITING]


async def test_let_go_and_given_up_together(office: Office) -> None:
    first, second = await two_for_one(office)
    await office.desk.take(first.number, ONE)
    await office.desk.let_go(second.number, ONE)
    assert {each.state for each in await office.desk.waiting()} == {CallbackState.WAITING}
    await office.desk.take(first.number, ONE)
    await office.desk.give_up(first.number, ONE, "wrong_number")
    for number in (first.number, second.number):
        over = await office.desk.get(number)
        assert over and (over.state, over.note) == (CallbackState.GIVEN_UP, "wrong_number")


async def test_a_caller_who_was_served_meanwhile_is_not_called_back(office: Office) -> None:
    listed = await office.promised(trunk="city", section="inquiry")
    ring = Ring("1001", 6, 8, 8.5, 60)
    later = NOON + timedelta(minutes=10)
    await office.ledger.record(story("2.1", start=later, asked=5, rings=[ring], ended=60, section="inquiry"))
    await office.keeper.look()
    over = await office.desk.get(listed.number)
    assert over and (over.state, over.note) == (CallbackState.WITHDRAWN, "served:2.1")
    assert office.desk.calling is False and await office.desk.waiting() == []


def _same(other: CallBack) -> dict[str, object]:
    return {name: getattr(other, name) for name in ("number", "about", "due_at")}


@dataclass
class Session:
    """What the dialplan asks, and the variables that it gets."""

    call_id: str = ""
    channel: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def request(self) -> Session:
        return self

    async def set_variable(self, name: str, value: str) -> None:
        self.variables[name] = value


async def test_what_the_dialplan_is_told(office: Office) -> None:
    taking, numbers = CallbackTaking(office.desk), CallbackNumber(office.desk)

    async def asked(handler: Any, **session: str) -> dict[str, str]:
        told = Session(**session)
        await handler(told)
        return told.variables

    assert await asked(taking, channel="PJSIP/1001-00000001") == {"CALLBACK_TAKEN": "none"}
    listed = await office.promised(trunk="city")
    assert listed.section not in ("inquiry", None)  # another section's
    follow_up = await office.desk.follow_up(told(), "13800138000", NOON + timedelta(days=1))
    assert await asked(taking, channel="PJSIP/1001-00000001") == {"CALLBACK_TAKEN": "yes"}
    while office.desk.calling:
        await asyncio.sleep(0)
    attempt = attempt_id(follow_up.number, 1)
    assert await asked(numbers, call_id=attempt) == {"CALLBACK_TRUNK": "city", "CALLBACK_NUMBER": "13800138000"}
    assert await asked(numbers, call_id=attempt_id(follow_up.number, 2)) == {}
    assert await asked(taking, channel="PJSIP/city-00000001") == {}
    office.clock.moment = NIGHT
    assert await asked(taking, channel="PJSIP/1002-00000001") == {}
