"""News of cases on their way to other systems: nothing lost, nothing out of order, nothing personal (I3, P3)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_events import NoteAdded
from calls.cases import Login
from calls.errors import CaseConflict, SettingsError
from calls.inquiries import OrderAccepted
from calls.outbox import DeliveryState, News
from metrics.exporter import Exporter
from service.settings import Settings, Webhook
from service.webhooks import PAUSES, Forbidden, Receiver, Webhooks, check_address
from storage.cases import SqlCases
from storage.engine import open_engine
from storage.outbox import SqlOutbox
from storage.work_orders import SqlOrders
from tests.support_cases import CLOCKS, SHANGHAI, ZERO, SetClock, asked, dispatched, registered, steps
from tests.support_prepared import dropped, patient_engine, prepared

SECRET = "s" * 40


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    found = patient_engine(address)
    yield found
    await found.dispose()
    dropped(address)


@dataclass
class Crm:
    """Somebody else's system, over real sockets: answers with these statuses by turns, then 204."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 204
        headers = {"Location": f"http://127.0.0.1:{self.port}/elsewhere"} if status == 302 else {}
        return web.Response(status=status, headers=headers)

    @property
    def told(self) -> list[tuple[str, str, int]]:
        bodies = [json.loads(body) for _, body in self.got]
        return [(body["case"]["number"], body["type"], body["case"]["version"]) for body in bodies]


@pytest_asyncio.fixture
async def crm() -> AsyncIterator[Crm]:
    crm = Crm()
    app = web.Application()
    app.router.add_post("/news", crm.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server and hasattr(site._server, "sockets")
    crm.port = site._server.sockets[0].getsockname()[1]
    yield crm
    await runner.cleanup()


def hook(folder: Path, url: str) -> Webhook:
    secret = folder / "secret"
    secret.write_text(SECRET)
    return Webhook(name="crm", url=url, secret_file=secret)


@dataclass
class Stand:
    webhooks: Webhooks
    receiver: Receiver
    outbox: SqlOutbox
    cases: SqlCases
    clock: SetClock

    async def deliver(self) -> None:
        """All that is due now."""
        while await self.webhooks.deliver(self.receiver):
            pass


@pytest_asyncio.fixture
async def stand(engine: AsyncEngine, crm: Crm, tmp_path: Path) -> Stand:
    one = hook(tmp_path, f"http://127.0.0.1:{crm.port}/news")
    clock, outbox = SetClock(), SqlOutbox(engine)
    settings = Settings(var_dir=tmp_path, webhooks=(one,))
    exporter = Exporter(sections=(), limit_s=15.0, build={})
    made = Stand(
        Webhooks(settings, outbox, exporter, clock),
        Receiver(one),
        outbox,
        SqlCases(engine, SHANGHAI, CLOCKS),
        clock,
    )
    await made.deliver()  # a new receiver begins here
    return made


async def test_inquiries_and_work_orders_are_told_of(stand: Stand, engine: AsyncEngine, crm: Crm) -> None:
    orders = SqlOrders(engine, SHANGHAI)
    answered = await orders.file(asked(), "a")
    assert await orders.file(asked(), "a") == answered
    order = await orders.dispatch_later(answered.number, dispatched())
    await orders.append_order(order.number, 1, OrderAccepted(at=ZERO, by=Login("zhao")))
    await orders.file(asked(answer=""), "b", dispatched())
    await orders.dispatch(dispatched(content="另一件"), "c")
    await stand.deliver()
    assert sorted(crm.told, key=lambda told: told[0]) == [  # of each its events in order
        ("GD2026-00001", "order.dispatched", 1),
        ("GD2026-00001", "order.accepted", 2),
        ("GD2026-00002", "order.dispatched", 1),
        ("GD2026-00003", "order.dispatched", 1),
        ("ZX2026-00001", "inquiry.filed", 1),
        ("ZX2026-00001", "inquiry.dispatched", 2),
        ("ZX2026-00002", "inquiry.filed", 2),
    ]
    assert not any(word.encode() in body for _, body in crm.got for word in ("退票", "13900139000"))


async def test_every_line_of_a_case_is_told_once_in_order_and_signed(stand: Stand, crm: Crm) -> None:
    case = await stand.cases.register(registered(), "k")
    for event in steps([ZERO]):
        case = await stand.cases.append(case.number, case.version, event)
    await stand.deliver()
    await stand.deliver()
    assert [version for _, _, version in crm.told] == list(range(1, case.version + 1))
    assert crm.told[0][1] == "case.registered" and crm.told[-1][1] == "case.closed"
    headers, body = crm.got[0]
    seconds, mac = (part.partition("=")[2] for part in headers["Sansheng-Signature"].split(","))
    assert mac == hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert int(seconds) == int(stand.clock.now().timestamp())
    assert not any(
        word.encode() in body for _, body in crm.got for word in ("张三", "13800138000", "扶梯", "\\u5f20")
    )


async def test_what_fails_is_sent_again_and_keeps_its_case_in_order_but_holds_up_no_other(
    stand: Stand, crm: Crm
) -> None:
    first = await stand.cases.register(registered(), "a")
    await stand.cases.append(first.number, 1, NoteAdded(at=ZERO, by=Login("li"), text="催办"))
    second = await stand.cases.register(registered(content="另一件"), "b")
    crm.answers = [503]
    await stand.deliver()
    assert crm.told == [(first.number, "case.registered", 1), (second.number, "case.registered", 1)]
    await stand.deliver()
    assert len(crm.told) == 2, "not before its time"
    stand.clock.pass_(seconds=PAUSES[0].total_seconds())
    await stand.deliver()
    assert crm.told[2:] == [(first.number, "case.registered", 1), (first.number, "case.note", 2)]
    ids = [headers["Sansheng-Event"] for headers, _ in crm.got]
    assert ids[0] == ids[2], "the receiver can tell that it is the same"


async def test_what_is_given_up_is_listed_and_can_be_sent_again(stand: Stand, crm: Crm) -> None:
    await stand.cases.register(registered(), "a")
    crm.answers = [500] * (len(PAUSES) + 1)
    for pause in (timedelta(0), *PAUSES):
        stand.clock.pass_(seconds=pause.total_seconds())
        await stand.deliver()
    (dead,) = await stand.outbox.dead()
    assert dead.state is DeliveryState.DEAD and dead.error == "answered 500" and dead.attempts == len(PAUSES) + 1
    assert await stand.outbox.resend("crm", dead.news.id, stand.clock.now())
    assert not await stand.outbox.resend("crm", dead.news.id, stand.clock.now()), "once"
    await stand.deliver()
    assert len(crm.got) == len(PAUSES) + 2 and not await stand.outbox.dead()


async def test_a_redirect_is_not_followed(stand: Stand, crm: Crm) -> None:
    await stand.cases.register(registered(), "a")
    crm.answers = [302]
    await stand.deliver()
    assert len(crm.got) == 1
    assert await stand.outbox.waiting() == {"crm": 1}


async def test_a_line_that_was_not_written_is_not_told(stand: Stand, crm: Crm) -> None:
    case = await stand.cases.register(registered(), "a")
    note = NoteAdded(at=ZERO, by=Login("li"), text="催办")
    await stand.cases.append(case.number, 1, note)
    with pytest.raises(CaseConflict):
        await stand.cases.append(case.number, 1, replace(note, text="另一条"))
    await stand.deliver()
    assert [version for _, _, version in crm.told] == [1, 2]


async def test_writers_at_once_leave_no_gap_that_a_reader_could_jump_over(engine: AsyncEngine) -> None:
    outbox = SqlOutbox(engine)
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < 20:
            seen.extend(each.id for each in await outbox.after(seen[-1] if seen else 0, 100))
            await asyncio.sleep(0)

    async def write(n: int) -> None:
        await SqlCases(engine, SHANGHAI, CLOCKS).register(registered(content=f"{n}"), f"k{n}")

    async with asyncio.timeout(60):
        await asyncio.gather(read(), *map(write, range(20)))
    assert len(set(seen)) == 20
    assert await outbox.after(0, 100, ["ticketing"]) == [] and len(await outbox.after(0, 100, ["complaint"])) == 20


@pytest.mark.parametrize(
    "url",
    ["http://crm.example/x", "ftp://crm.example/x", "https://u:p@crm.example/x", "https:///x", "https://a/#b"],
)
def test_an_address_that_is_not_safe_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        hook(tmp_path, url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fe80::1%eth0", "0.0.0.0"])
def test_our_own_network_is_out_of_reach(address: str) -> None:
    with pytest.raises(Forbidden):
        check_address(address, private_network=False)


def test_a_private_address_may_be_allowed_but_never_the_machines_own_metadata() -> None:
    check_address("10.0.0.7", private_network=True)
    with pytest.raises(Forbidden):
        check_address("169.254.169.254", private_network=True)


async def test_an_address_written_out_is_refused_like_a_name(tmp_path: Path) -> None:
    receiver = Receiver(hook(tmp_path, "https://10.0.0.7/x"))
    news = await _one_news(tmp_path)
    assert (await receiver.post(news, 1)).startswith("Forbidden")


async def _one_news(folder: Path) -> News:
    engine = open_engine(await prepared("sqlite", folder))
    await SqlCases(engine, SHANGHAI, CLOCKS).register(registered(), "k")
    (news,) = await SqlOutbox(engine).after(0, 1)
    await engine.dispose()
    return news


def test_a_secret_that_is_missing_or_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Receiver(Webhook(name="crm", url="https://crm.example/x", secret_file=tmp_path / "none"))
    (tmp_path / "short").write_text("abc")
    with pytest.raises(SettingsError, match="32 letters"):
        Receiver(Webhook(name="crm", url="https://crm.example/x", secret_file=tmp_path / "short"))
