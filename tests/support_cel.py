"""Records of Asterisk's channel event log, as AMI tells them and as they stand in the file; whole calls."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from hypothesis import strategies as st

from ivr.ami.translate import CelRecord
from ivr.ami.wire import AmiMessage
from tests.support_ledger import CALLER, NOON


def as_ami(record: CelRecord) -> AmiMessage:
    """The record as the manager interface tells it."""
    return AmiMessage.of(
        {
            "Event": "CEL",
            "Privilege": "call,all",
            "Timestamp": f"{record.at.timestamp():.6f}",
            "EventName": record.name,
            "AccountCode": "",
            "CallerIDnum": record.caller,
            "Exten": "s",
            "Context": record.context,
            "Channel": record.channel,
            "Application": "Queue",
            "EventTime": f"{record.at:%Y-%m-%d %H:%M:%S}",
            "UniqueID": record.unique_id,
            "LinkedID": record.linked_id,
            "Peer": "",
            "Extra": record.extra,
        }
    )


def as_line(record: CelRecord) -> str:
    """The record as ``cel_custom`` writes it with our template."""
    values = [
        record.name,
        f"{int(record.at.timestamp())}.{record.at.microsecond:06d}",
        record.caller,
        record.channel,
        "s",
        record.context,
        "Queue",
        record.unique_id,
        record.linked_id,
        "PJSIP/1001-0000003b",
        record.extra,
    ]
    return ",".join('"' + value.replace('"', '""') + '"' for value in values) + "\n"


@st.composite
def records_of_call(draw: st.DrawFn, call_id: str, start: datetime = NOON) -> list[CelRecord]:
    """A call as Asterisk would write it: queue, agents who let it ring or answer, an end; or a part of it."""
    caller, now = f"PJSIP/city-{call_id[-1] * 8}", [start]
    told: list[CelRecord] = []

    def tell(name: str, channel: str, uid: str, context: str, extra: dict[str, object] | None = None) -> None:
        now[0] += timedelta(microseconds=draw(st.sampled_from([1, 999, 40_000, 1_000_000, 4_999_999, 5_000_000])))
        text = json.dumps(extra) if extra else ""
        told.append(CelRecord(name, now[0], channel, uid, call_id, CALLER, context, text))

    def say(name: str, text: str = "") -> None:
        tell(name, caller, call_id, "person", {"extra": text})

    def hang_up(channel: str, uid: str, source: str, cause: int) -> None:
        tell("HANGUP", channel, uid, "person", {"hangupcause": cause, "hangupsource": source, "dialstatus": ""})

    say("ARRIVED", "city")
    if draw(st.booleans()):
        say("ASKED", "inquiry|zh-CN|0|menu")
        answered = False
        for leg in range(draw(st.integers(0, 3))):
            phone, uid = f"PJSIP/100{leg}-0000000{leg}", f"{call_id}{leg}7"
            tell("CHAN_START", phone, uid, "from-agents")
            answered = draw(st.booleans())
            if answered:
                tell("ANSWER", phone, uid, "from-agents")
                tell("BRIDGE_ENTER", phone, uid, "from-agents", {"bridge_id": "b"})
                if draw(st.booleans()):
                    tell("BLINDTRANSFER", phone, uid, "from-agents", {"extension": "95000"})
            hang_up(phone, uid, "", draw(st.sampled_from([0, 16, 17])))
            if answered:
                break
            say("REQUEUED", str(leg + 1))
        if not answered and draw(st.booleans()):
            say("OVERFLOWED")
            say("CALLBACK_OFFERED")
            if draw(st.booleans()):
                say("CALLBACK_PROMISED", CALLER)
    hang_up(caller, call_id, draw(st.sampled_from([caller, "PJSIP/1001-0000003b", ""])), 16)
    return told[: draw(st.integers(1, len(told)))]
