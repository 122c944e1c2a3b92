"""What the AMI link may rely on, held against the fake server and against a real Asterisk alike.

An endpoint's account needs read classes ``system``, ``user`` and write classes ``system``, ``reporting``,
``user``, ``originate``, ``agent``; Asterisk must run with ``timestampevents=yes``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC

import pytest
import pytest_asyncio

from calls.errors import AmiRefused, AmiTimeout, UnsafeValue
from ivr.ami.link import AmiLink, LinkState, LinkTiming
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage
from tests.support_ami import FakeAmi
from tests.support_centre import ASIDE, Centre, own_worker


@dataclass(frozen=True)
class AmiEndpoint:
    """Where an AMI is, and an account that may use it."""

    host: str
    port: int
    username: str
    secret: str


@pytest_asyncio.fixture
async def fake_ami() -> AsyncIterator[AmiEndpoint]:
    async with FakeAmi() as fake:
        yield AmiEndpoint("127.0.0.1", fake.port, fake.username, fake.secret)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asterisk_ami() -> AsyncIterator[AmiEndpoint]:
    """Our own Asterisk without the service, and an account that may do more than the product's."""
    centre = Centre(own_worker() + ASIDE)
    endpoint = AmiEndpoint("127.0.0.1", centre.settings.ports.ami, "contract", "contract-secret")
    try:
        await centre.asterisk.start()
        with (centre.asterisk.dirs.etc / "manager.conf").open("a") as accounts:
            accounts.write(_ACCOUNT.format(endpoint=endpoint))
        await centre.asterisk.command("manager reload")
        yield endpoint
    finally:
        await centre.stop()


_ACCOUNT = """
[{endpoint.username}]
secret = {endpoint.secret}
read = system,user,call,agent
write = system,reporting,user,originate,agent
"""


@pytest.fixture(params=["fake", "asterisk"])
def ami_endpoint(request: pytest.FixtureRequest) -> AmiEndpoint:
    """Each kind of AMI that there is to test with."""
    endpoint = request.getfixturevalue(f"{request.param}_ami")
    assert isinstance(endpoint, AmiEndpoint)
    return endpoint


@asynccontextmanager
async def connected(
    endpoint: AmiEndpoint, expected: LinkState, *, secret: str | None = None
) -> AsyncIterator[tuple[AmiLink, EventSink]]:
    """A link that has come as far as ``expected``."""
    reached = asyncio.Event()
    sink = EventSink()
    link = AmiLink(
        endpoint.host,
        endpoint.port,
        endpoint.username,
        endpoint.secret if secret is None else secret,
        events=sink,
        on_state=lambda state: reached.set() if state is expected else None,
        timing=LinkTiming(backoff_first_s=0.05),
    )
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(60):
            await reached.wait()
        yield link, sink
    finally:
        await link.close()
        await running


async def event_with(sink: EventSink, key: str, value: str) -> AmiMessage:
    """The first event with this header, others being passed over."""
    async with asyncio.timeout(60):
        while True:
            message = await sink.get()
            if message.get(key) == value:
                return message


async def test_right_password_is_up_and_fully_booted(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (_, sink):
        assert (await event_with(sink, "Event", "FullyBooted")).get("privilege", "").startswith("system")


async def test_wrong_password_is_refused(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.REFUSED, secret="wrong") as (link, _):
        assert link.state is LinkState.REFUSED


async def test_ping_pongs_with_a_time(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        reply = await link.call("Ping")
        assert reply.get("Ping") == "Pong"
        assert reply.timestamp is not None
        assert reply.timestamp.tzinfo is UTC


async def test_unknown_action_is_refused_and_the_link_stays(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        with pytest.raises(AmiRefused):
            await link.call("NoSuchActionHere")
        await link.call("Ping")


@pytest.mark.parametrize(
    ("action", "complete", "kinds"),
    [
        ("CoreShowChannels", "CoreShowChannelsComplete", {"CoreShowChannel"}),
        ("QueueStatus", "QueueStatusComplete", {"QueueParams", "QueueMember", "QueueEntry"}),
    ],
)
async def test_lists_end(ami_endpoint: AmiEndpoint, action: str, complete: str, kinds: set[str]) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        events = await link.query(action, complete_event=complete)
        assert {event.event for event in events} <= kinds


async def test_a_list_that_ends_by_another_event_times_out(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        with pytest.raises(AmiTimeout):
            await link.query("CoreShowChannels", complete_event="NeverSent", timeout_s=0.2)
        await link.call("Ping")


async def test_values_come_back_as_they_were_sent(ami_endpoint: AmiEndpoint) -> None:
    value = "王小明🙂 'quoted' \"twice\" ${EXTEN} a:b=c|d,e;f"
    async with connected(ami_endpoint, LinkState.UP) as (link, sink):
        await link.call("UserEvent", {"UserEvent": "SanshengContract", "Text": value})
        event = await event_with(sink, "UserEvent", "SanshengContract")
        assert event.get("text") == value
        assert event.timestamp is not None
        assert event.timestamp.microsecond != 0 or event.get("timestamp", "").endswith(".000000")


async def test_injected_action_is_never_sent(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, sink):
        evil = "x\r\n\r\nAction: UserEvent\r\nUserEvent: SanshengEvil"
        with pytest.raises(UnsafeValue):
            await link.call("UserEvent", {"UserEvent": "SanshengGood", "Text": evil})
        await link.call("UserEvent", {"UserEvent": "SanshengLast"})
        async with asyncio.timeout(60):
            names = []
            while "SanshengLast" not in names:
                names.append((await sink.get()).get("userevent"))
        assert "SanshengEvil" not in names


async def test_originate_is_queued(ami_endpoint: AmiEndpoint) -> None:
    fields = [
        ("Channel", "Local/nobody@sansheng-contract"),
        ("Application", "NoOp"),
        ("Async", "true"),
        ("Variable", "FIRST=1"),
        ("Variable", "SECOND=2"),
    ]
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        assert (await link.call("Originate", fields)).get("message") == "Originate successfully queued"
        await link.call("Ping")


async def test_burst_of_calls_is_answered(ami_endpoint: AmiEndpoint) -> None:
    async with connected(ami_endpoint, LinkState.UP) as (link, _):
        replies = await asyncio.gather(*(link.call("Ping", timeout_s=120) for _ in range(500)))
        assert len({reply.get("actionid") for reply in replies}) == 500
