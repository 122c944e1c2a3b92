"""The AMI link over real sockets, against a server that misbehaves on request (its events are A1 clocks)."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from calls.errors import AmiLinkDown, AmiRefused, AmiTimeout, UnsafeValue
from ivr.ami.client import PendingAction
from ivr.ami.link import AmiLink, LinkState, LinkTiming, backoff_s
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage
from tests.support_ami import (
    FULLY_BOOTED,
    HASTY,
    PATIENCE_S,
    FakeAction,
    FakeAmi,
    Sleeps,
    States,
    linked,
    take,
    up,
)

INJECTION = "x\r\n\r\nAction: Originate\r\nChannel: Local/premium@out"


@pytest_asyncio.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """No task and no unhandled exception of the event loop survives a test."""
    errors: list[dict[str, Any]] = []
    before = asyncio.all_tasks()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    yield
    gc.collect()
    assert errors == []
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


# --- coming up ---


async def test_logs_in_and_is_up_after_fully_booted(server: FakeAmi) -> None:
    async with up(server) as (link, states):
        assert states.seen == [LinkState.CONNECTING, link.state] == [LinkState.CONNECTING, LinkState.UP]
    assert states.seen[2:] == [link.state] == [LinkState.DOWN]


async def test_is_not_up_before_fully_booted(server: FakeAmi) -> None:
    server.booted = False
    states = States()
    async with linked(server, on_state=states) as link:
        await server.until(lambda: bool(server.named("Login")))
        with pytest.raises(AmiLinkDown):
            await link.call("Ping")
        server.send("Event: FullyBooted\r\n\r\n")
        await states.reach(LinkState.UP)
        await link.call("Ping")


async def test_asterisk_that_never_boots_is_tried_again(server: FakeAmi) -> None:
    server.booted = False
    async with linked(server, timing=replace(HASTY, boot_s=0.01)):
        await server.until(lambda: len(server.named("Login")) >= 2)


async def test_link_lost_before_fully_booted_was_never_up(server: FakeAmi) -> None:
    server.booted = False
    states, sleeps = States(), Sleeps(allowed=0)
    async with linked(server, on_state=states, sleep=sleeps):
        await server.until(lambda: bool(server.named("Login")))
        await server.cut()
        await sleeps.held()
        assert states.seen == [LinkState.CONNECTING, LinkState.DOWN]


async def test_wrong_password_waits_long_and_is_reported(server: FakeAmi) -> None:
    states, sleeps = States(), Sleeps(allowed=1)
    async with linked(server, secret="wrong", on_state=states, sleep=sleeps) as link:
        await sleeps.held()
        assert link.state is LinkState.REFUSED
        assert states.seen == [LinkState.CONNECTING, LinkState.REFUSED] * 2
        assert sleeps.asked == [30, 30]
        assert len(server.named("Login")) == 2


async def test_nobody_listens_backs_off_to_the_cap() -> None:
    async with FakeAmi() as gone:
        pass
    sleeps = Sleeps(allowed=9)
    async with linked(gone, timing=LinkTiming(), sleep=sleeps):
        await sleeps.held()
    assert all(5 <= wait <= 10 for wait in sleeps.asked[-4:])
    assert sleeps.asked[0] <= 0.25


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\0\r\n\r\n" * 50])
async def test_garbage_does_no_harm(server: FakeAmi, garbage: bytes) -> None:
    sink = EventSink()
    async with up(server, sink=sink) as (link, _):
        server.send(garbage + b"Event: Hangup\r\n\r\n")
        assert [m.event for m in await take(sink, 2)] == ["FullyBooted", "Hangup"]
        await link.call("Ping")


async def test_message_without_end_closes_the_link(server: FakeAmi) -> None:
    async with up(server) as (_, states):
        server.send(b"x" * (5 * 1024 * 1024))
        await states.reach(LinkState.UP, times=2)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_backoff_doubles_up_to_the_cap(jitter: float) -> None:
    waits = [backoff_s(failures, LinkTiming(), jitter) for failures in range(2000)]
    assert all(later >= earlier for earlier, later in pairwise(waits))
    assert waits[1] == 2 * waits[0]
    assert 5 <= waits[-1] <= 10


# --- actions ---


async def test_error_reply_is_refused_with_asterisks_words(server: FakeAmi) -> None:
    async with up(server) as (link, _):
        with pytest.raises(AmiRefused, match="Invalid/unknown command"):
            await link.call("NoSuchThing")
        await link.call("Ping")


async def test_refused_command_tells_its_output(server: FakeAmi) -> None:
    server.replies["Command"] = lambda a: a.reply("Error", "Command output follows", "Output: No such command")
    async with up(server) as (link, _):
        with pytest.raises(AmiRefused, match="No such command"):
            await link.call("Command", {"Command": "x"})


async def test_silence_is_a_time_out_and_a_late_reply_is_dropped(server: FakeAmi) -> None:
    server.replies["Status"] = None
    async with up(server) as (link, _):
        with pytest.raises(AmiTimeout):
            await link.call("Status", timeout_s=0.01)
        await server.until(lambda: bool(server.named("Status")))
        server.send(server.named("Status")[0].reply("Success", "late"))
        assert (await link.call("Ping")).get("Ping") == "Pong"


async def test_successfully_queued_is_a_reply_and_its_event_an_event(server: FakeAmi) -> None:
    server.replies["Originate"] = lambda a: (
        a.event("OriginateResponse", "Response: Failure", "Reason: 1")
        + a.reply("Success", "Originate successfully queued")
    )
    sink = EventSink()
    async with up(server, sink=sink) as (link, _):
        fields = [("Channel", "PJSIP/1001"), ("Async", "true"), ("Variable", "a=1"), ("Variable", "b=王")]
        reply = await link.call("Originate", fields)
        assert reply.get("message") == "Originate successfully queued"
        assert server.named("Originate")[0].all("Variable") == ["a=1", "b=王"]
        _, outcome = await take(sink, 2)
        assert (outcome.event, outcome.get("ActionID")) == ("OriginateResponse", reply.get("ActionID"))


async def test_query_collects_its_own_events_only(server: FakeAmi) -> None:
    def status(action: FakeAction) -> str:
        return (
            action.reply("Success", "Queue status will follow", "EventList: start")
            + action.event("QueueParams", "Queue: inquiries")
            + "Event: Hangup\r\nActionID: another\r\n\r\n"
            + action.event("QueueMember", "Queue: inquiries")
            + action.event("QueueStatusComplete", "EventList: Complete")
        )

    server.replies["QueueStatus"] = status
    sink = EventSink()
    async with up(server, sink=sink) as (link, _):
        events = await link.query("QueueStatus", complete_event="QueueStatusComplete")
        assert [e.event for e in events] == ["QueueParams", "QueueMember"]
        assert [e.event for e in await take(sink, 2)] == ["FullyBooted", "Hangup"]


async def test_query_refused_or_never_completed(server: FakeAmi) -> None:
    server.replies["QueueStatus"] = lambda a: a.reply("Success", "Queue status will follow")
    async with up(server) as (link, _):
        with pytest.raises(AmiTimeout):
            await link.query("QueueStatus", complete_event="QueueStatusComplete", timeout_s=0.01)
        with pytest.raises(AmiRefused):
            await link.query("NoSuchList", complete_event="NoSuchListComplete")


async def test_burst_of_calls_each_gets_its_own_reply(server: FakeAmi) -> None:
    server.replies["Echo"] = lambda a: a.reply("Success", a.get("Data"))
    async with up(server) as (link, _):
        replies = await asyncio.gather(
            *(link.call("Echo", {"Data": str(n)}, timeout_s=PATIENCE_S) for n in range(500))
        )
        assert [reply.get("message") for reply in replies] == [str(n) for n in range(500)]
        gc.collect()
        assert not [kept for kept in gc.get_objects() if isinstance(kept, PendingAction)]


async def test_injection_is_refused_and_nothing_is_sent(server: FakeAmi) -> None:
    async with up(server) as (link, _):
        for fields in ({"Data": INJECTION}, {INJECTION: "x"}, [("Variable", "a=1"), ("Variable", "b=\n")]):
            with pytest.raises(UnsafeValue):
                await link.call("UserEvent", fields)
        with pytest.raises(UnsafeValue):
            await link.query(f"QueueStatus\r\nX: {INJECTION}", complete_event="x")
        await link.call("Ping")
        assert [action.name for action in server.actions] == ["Login", "Ping"]


def test_secret_that_cannot_be_sent_is_refused_at_once() -> None:
    with pytest.raises(UnsafeValue):
        AmiLink("127.0.0.1", 1, "sansheng", INJECTION, events=EventSink())


# --- losing the link ---


async def test_cut_link_fails_pending_actions_and_replays_none(server: FakeAmi) -> None:
    server.replies["Originate"] = None
    server.replies["QueueStatus"] = None
    async with up(server) as (link, states):
        pending = [asyncio.create_task(link.call("Originate", {"Channel": f"PJSIP/{n}"})) for n in range(3)]
        pending.append(asyncio.create_task(link.call("QueueStatus")))
        await server.until(lambda: len(server.actions) == 5)
        await server.cut()
        for outcome in await asyncio.gather(*pending, return_exceptions=True):
            assert isinstance(outcome, AmiLinkDown)
        await states.reach(LinkState.UP, times=2)
        assert states.seen == [
            LinkState.CONNECTING,
            LinkState.UP,
            LinkState.DOWN,
            LinkState.CONNECTING,
            LinkState.UP,
        ]
        await link.call("Ping")
        assert len(server.named("Originate")) == 3


async def test_waits_start_short_again_after_each_success(server: FakeAmi) -> None:
    sleeps = Sleeps(allowed=99)
    async with up(server, sleep=sleeps) as (_, states):
        for times in range(2, 8):
            await server.cut()
            await states.reach(LinkState.UP, times=times)
    assert len(sleeps.asked) == 6
    assert max(sleeps.asked) <= HASTY.backoff_first_s


async def test_call_while_down_fails_at_once_and_the_link_returns(server: FakeAmi) -> None:
    async with up(server) as (link, states):
        await server.stop()
        await states.reach(LinkState.DOWN)
        with pytest.raises(AmiLinkDown):
            await link.call("Ping")
        await server.start()
        await states.reach(LinkState.UP, times=2)
        await link.call("Ping")


async def test_missing_pong_closes_the_link(server: FakeAmi) -> None:
    server.replies["Ping"] = None
    async with up(server, timing=replace(HASTY, ping_every_s=0.01, ping_reply_s=0.01)) as (_, states):
        await states.reach(LinkState.UP, times=2)


async def test_a_refused_ping_is_no_reason_to_be_locked_out(server: FakeAmi) -> None:
    server.replies["Ping"] = lambda a: a.reply("Error", "Permission denied")
    async with up(server, timing=replace(HASTY, ping_every_s=0.01)) as (_, states):
        await server.until(lambda: len(server.named("Ping")) > 2)
        assert states.seen == [LinkState.CONNECTING, LinkState.UP]


async def test_errors_of_the_state_callback_go_no_further(
    server: FakeAmi, caplog: pytest.LogCaptureFixture
) -> None:
    states = States()

    def told(state: LinkState) -> None:
        states(state)
        raise RuntimeError("not our fault")

    async with linked(server, on_state=told) as link:
        await states.reach(LinkState.UP)
        await link.call("Ping")
    assert "ami_state_callback_failed" in [record.message for record in caplog.records]


async def test_errors_in_one_message_leave_the_others_alone(
    server: FakeAmi, caplog: pytest.LogCaptureFixture
) -> None:
    class Picky(EventSink):
        def offer(self, message: AmiMessage) -> None:
            if message.event == "Bad":
                raise RuntimeError("a bug")
            super().offer(message)

    sink = Picky()
    async with up(server, sink=sink) as (link, _):
        server.send("Event: Bad\r\n\r\nEvent: Good\r\n\r\n")
        assert [m.event for m in await take(sink, 2)] == ["FullyBooted", "Good"]
        await link.call("Ping")
    assert "ami_message_failed" in [record.message for record in caplog.records]


async def test_secret_and_values_stay_out_of_the_log(server: FakeAmi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with up(server) as (link, _):
        await link.call("UserEvent", {"Number": "13800138000"})
        await server.cut()
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "correct" not in text
    assert "13800138000" not in text


# --- events and back-pressure ---


async def test_utf8_cut_by_a_segment_arrives_whole(server: FakeAmi) -> None:
    sink = EventSink()
    async with up(server, sink=sink):
        for byte in "Event: Newchannel\r\nCallerIDName: 王小明🙂\r\n\r\n".encode():
            server.send(bytes([byte]))
            await asyncio.sleep(0)  # lets the client read it: each byte is a segment
        assert (await take(sink, 2))[1].get("calleridname") == "王小明🙂"


async def test_full_sink_pauses_reading_and_drops_nothing(server: FakeAmi) -> None:
    sink = EventSink(size=10)
    async with up(server, sink=sink) as (link, states):
        await take(sink, 1)
        server.send("".join(f"Event: Hangup\r\nN: {n}\r\n\r\n" for n in range(20_000)))
        assert [m.get("n") for m in await take(sink, 20_000)] == [str(n) for n in range(20_000)]
        assert sink.pauses > 1
        assert not sink.paused
        await link.call("Ping")
        assert states.seen == [LinkState.CONNECTING, LinkState.UP]


@asynccontextmanager
async def up_and_full(server: FakeAmi, sink: EventSink, **settings: Any) -> AsyncIterator[States]:
    """A link that pings all the time and whose sink was full before its first ping, which may be answered late."""
    server.booted = False
    states, timing = States(), replace(HASTY, ping_every_s=0.01, ping_reply_s=0.01)
    async with linked(server, sink=sink, timing=timing, on_state=states, **settings):
        await server.until(lambda: bool(server.named("Login")))
        server.send(FULLY_BOOTED + "Event: Hangup\r\n\r\n" * 5)
        server.booted = True
        await states.reach(LinkState.UP)
        yield states


async def test_paused_reading_is_not_taken_for_a_dead_link(server: FakeAmi) -> None:
    sink = EventSink(size=2)
    async with up_and_full(server, sink) as states:
        await server.until(lambda: len(server.named("Ping")) > 5)
        assert sink.paused
        assert states.seen == [LinkState.CONNECTING, LinkState.UP]
        await take(sink, 6)


async def test_reconnecting_waits_for_a_consumer_that_is_behind(server: FakeAmi) -> None:
    sink = EventSink(size=2)
    async with up_and_full(server, sink, sleep=Sleeps(allowed=99)) as states:
        assert sink.paused
        await server.cut()
        await states.reach(LinkState.DOWN)  # noticed by the pings that cannot be written
        for _ in range(50):
            await asyncio.sleep(0)
        assert states.seen == [LinkState.CONNECTING, LinkState.UP, LinkState.DOWN]
        await take(sink, 6)
        await states.reach(LinkState.UP, times=2)


def test_sink_pauses_when_full_and_resumes_below_half() -> None:
    transport = Transport()
    sink = EventSink(size=4)
    sink.attach(transport)
    messages = [AmiMessage.of({"Event": str(n)}) for n in range(8)]
    for message in messages[:7]:
        sink.offer(message)
    assert (transport.calls, sink.pauses, sink.qsize()) == (["pause"], 1, 4)
    taken = [sink.get_nowait()]
    sink.offer(messages[7])
    taken += [sink.get_nowait() for _ in range(4)]
    assert transport.calls == ["pause"]
    taken += [sink.get_nowait() for _ in range(3)]
    assert transport.calls == ["pause", "resume"]
    assert taken == messages


class Transport(asyncio.ReadTransport):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


# --- closing ---


async def test_close_while_reconnecting_ends_for_good(server: FakeAmi) -> None:
    sleeps = Sleeps(allowed=0)
    states = States()
    async with linked(server, on_state=states, sleep=sleeps) as link:
        await states.reach(LinkState.UP)
        await server.cut()
        await sleeps.held()
        await link.close()
        with pytest.raises(AmiLinkDown):
            await link.call("Ping")
        await link.run()
    assert link.state is LinkState.DOWN
    assert len(server.named("Login")) == 1


async def test_close_while_logging_in(server: FakeAmi) -> None:
    server.booted = False
    async with linked(server) as link:
        await server.until(lambda: bool(server.named("Login")))
        await link.close()
        await server.until(lambda: not server.connected)


async def test_close_fails_pending_actions(server: FakeAmi) -> None:
    server.replies["Status"] = None
    async with up(server) as (link, _):
        pending = asyncio.create_task(link.call("Status"))
        await server.until(lambda: bool(server.named("Status")))
        await link.close()
        with pytest.raises(AmiLinkDown):
            await pending


async def test_close_twice_and_before_run() -> None:
    link = AmiLink("127.0.0.1", 1, "sansheng", "x", events=EventSink())
    await link.close()
    await link.close()
    await link.run()


async def test_cancelled_run_closes_the_connection(server: FakeAmi) -> None:
    states = States()
    link = AmiLink(
        "127.0.0.1", server.port, "sansheng", "correct", events=EventSink(), on_state=states, timing=HASTY
    )
    running = asyncio.create_task(link.run())
    await states.reach(LinkState.UP)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert link.state is LinkState.DOWN
    await server.until(lambda: not server.connected)
