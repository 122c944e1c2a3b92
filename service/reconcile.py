"""Books and Asterisk, compared: after every start, after every (re)connect, and all the time in between.

What one witness of a fact did not tell is taken from another and noted as a repair; what cannot be mended is
raised as a discrepancy. Nothing differs silently.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Set
from datetime import UTC, datetime, timedelta

from calls.audit import Difference
from calls.call import Call
from calls.errors import AmiError, StorageError
from calls.events import (
    AgentWrappedUp,
    AnyEvent,
    CallArrived,
    CallEnded,
    EndedBy,
    LegEnded,
    RecordingArrived,
    Source,
)
from calls.ids import CallId
from calls.ports import AuditBook, Clock, Ledger
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.translate import HOTLINE_CONTEXTS
from ivr.ami.wire import AmiMessage
from service.findings import Findings
from service.life import Life
from service.pipeline import Pipeline
from service.sources import CelSource, QueueSource
from service.wrap_ups import WrapUps

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=10)
"""How long the event log on disk has to tell what another witness told."""
_AGAIN_S = 1.0
_FEW = 100


class Reconciler:
    """Keeps the books equal to what Asterisk wrote. ``on_members`` gets the agents' states at every reconnect."""

    def __init__(
        self,
        *,
        link: AmiLink,
        cel: CelSource,
        queue: QueueSource,
        pipeline: Pipeline,
        ledger: Ledger,
        audit: AuditBook,
        findings: Findings,
        life: Life,
        wrap_ups: WrapUps,
        clock: Clock,
        every_s: float,
        on_members: Callable[[list[AmiMessage]], None],
        on_compared: Callable[[], None],
    ) -> None:
        self._link = link
        self._cel = cel
        self._queue = queue
        self._pipeline = pipeline
        self._ledger = ledger
        self._audit = audit
        self._findings = findings
        self._life = life
        self._wrap_ups = wrap_ups
        self._clock = clock
        self._every_s = every_s
        self._on_members = on_members
        self._on_compared = on_compared
        self._resync = asyncio.Event()
        self._suspects: Set[str] = frozenset()

    def on_link(self, state: LinkState) -> None:
        """The link's state has changed."""
        if state is LinkState.UP:
            self._resync.set()

    async def run(self) -> None:
        """Compare until cancelled: at once when the link comes up, and at intervals."""
        while True:
            try:
                async with asyncio.timeout(self._every_s):
                    await self._resync.wait()
            except TimeoutError:
                await self._guarded("audit", self._audit_once())
            else:
                self._resync.clear()
                if await self._guarded("resync", self._catch_up()):
                    self._on_compared()
                    await self._guarded("audit", self._audit_once())
                elif self._link.state is LinkState.UP:
                    await asyncio.sleep(_AGAIN_S)
                    self._resync.set()

    async def _guarded(self, what: str, work: Coroutine[None, None, None]) -> bool:
        try:
            await work
        except (AmiError, StorageError, OSError) as error:
            log.warning(f"{what}.failed", extra={"reason": str(error)})
            return False
        return True

    async def _catch_up(self) -> None:
        """What Asterisk has now, and what its event log knows of the time in between."""
        members = await self._link.query("QueueStatus", complete_event="QueueStatusComplete")
        self._on_members([message for message in members if message.event == "QueueMember"])
        await self._read_all()
        gone = {call.call_id for call in await self._ledger.open_calls()} - (await self._channels()).keys()
        await self._close(gone)

    async def _audit_once(self) -> None:
        began = self._clock.now()
        await self._read_all()
        await self._queue.check(began, self._pipeline)
        await self._wrap_ups.settle(began - GRACE, self._pipeline)
        await self._note_unconfirmed(began - GRACE)
        if self._link.state is LinkState.UP:
            await self._compare_channels()
        await self._findings.flush()
        await self._cel.commit()
        await self._findings.settle()

    async def _note_unconfirmed(self, until: datetime) -> None:
        """What the event log did not tell is noted; a few at a time, for callers are served meanwhile."""
        while events := await self._audit.unconfirmed(until, limit=_FEW):
            self._findings.mended(events)
            if not await self._findings.flush() or len(events) < _FEW:
                return

    async def _read_all(self) -> None:
        """Everything that Asterisk has written is in the ledger."""
        await self._cel.read_to_end()
        await self._pipeline.drained()

    async def _channels(self) -> dict[str, AmiMessage]:
        channels = await self._link.query("CoreShowChannels", complete_event="CoreShowChannelsComplete")
        return {message.get("Uniqueid", ""): message for message in channels}

    async def _compare_channels(self) -> None:
        """Open calls without a channel, callers' channels without a call: what two looks in a row find."""
        open_calls = {call.call_id for call in await self._ledger.open_calls()}
        channels = await self._channels()
        unknown = {uid for uid, channel in channels.items() if _is_caller(channel)} - open_calls
        gone = open_calls - channels.keys()
        await self._close({CallId(uid) for uid in gone & self._suspects})
        for uid in sorted(
            unknown & self._suspects - (await self._audit.known([CallId(u) for u in unknown])).keys()
        ):
            call_id = CallId(uid)
            self._findings.differs(
                Difference.NOT_IN_BOOKS,
                uid,
                "Asterisk has a caller whom the books do not know",
                call_id=call_id,
                event_key=f"{call_id}/{CallArrived.kind}/",
            )
        self._suspects = gone | unknown

    async def _close(self, gone: Set[CallId]) -> None:
        """End the calls that neither Asterisk has nor its log closes, at the best time that can be known."""
        if not gone:
            return
        # Again: what ended between the two looks is in the log by now.
        await self._read_all()
        started = await self._started()
        await asyncio.to_thread(self._life.look)
        known = await self._audit.known(sorted(gone))
        ends = [
            end
            for call in await self._ledger.open_calls()
            if call.call_id in gone
            for end in ends_nobody_saw(call, known[call.call_id], self._life, started)
        ]
        for end in ends:
            log.warning("call.end_unseen", extra={"call_id": end.call_id, "kind": end.kind})
            await self._pipeline.put(end)
        await self._pipeline.kept()
        self._findings.mended(ends)
        await self._findings.flush()

    async def _started(self) -> datetime:
        """When this Asterisk had been started, at the latest. Asterisk tells whole seconds, in local time."""
        status = await self._link.call("CoreStatus")
        text = f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"
        try:
            local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").astimezone()
        except ValueError as error:
            raise AmiError(f"CoreStatus tells no time of start: {text!r}") from error
        return local.astimezone(UTC) + timedelta(seconds=1)


def ends_nobody_saw(call: Call, events: Iterable[AnyEvent], life: Life, started: datetime) -> list[AnyEvent]:
    """The end of a call whose channel is gone without a word, and of its offers.

    If Asterisk has been started since, the call lived as long as the one before: until its end, if somebody saw
    that, or its last sign of life.
    Else nobody knows more than its own last fact.
    """
    at = max(event.at for event in events if not isinstance(event, RecordingArrived | AgentWrappedUp))
    if at < started:
        at = life.end_of(at, started) or at
    call_id, source = call.call_id, Source.ESTIMATE
    legs = [
        LegEnded(call_id=call_id, at=at, source=source, leg_id=offer.leg_id, agent=offer.agent, cause=0)
        for offer in call.offers
        if not offer.ended_at
    ]
    return [*legs, CallEnded(call_id=call_id, at=at, source=source, by=EndedBy.SYSTEM)]


def _is_caller(channel: AmiMessage) -> bool:
    uid = channel.get("Uniqueid", "")
    return bool(uid) and uid == channel.get("Linkedid") and channel.get("Context") in HOTLINE_CONTEXTS
