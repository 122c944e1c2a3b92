"""Complete calls as Asterisk tells them over its manager interface and writes them to disk, without an Asterisk.

Written after the channel event log of a real call: the menu, one agent who answers, the agent's number spoken by
a helper channel, the caller hanging up. Records that the books do not need are there as well, as in life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_CALLER, _AGENT, _JOIN, _VOICE = range(4)
CHANNELS = 4
"""Channels of a call, each with a unique id of its own."""


@dataclass(frozen=True, slots=True)
class _Record:
    at_s: float
    name: str
    channel: int
    context: str
    application: str = ""
    extra: str = ""


_BRIDGE = '{"bridge_id":"922d52bd-423f-41ea-a73c-3efddc027099","bridge_technology":"simple_bridge"}'
_HUNG_UP = '{"hangupcause":16,"hangupsource":"PJSIP/bench-%(number)08x","dialstatus":"ANSWER"}'
_CALL = (
    _Record(0.000, "CHAN_START", _CALLER, "from-trunk"),
    _Record(0.001, "ARRIVED", _CALLER, "hotline", "CELGenUserEvent", '{"extra":"bench"}'),
    _Record(0.002, "ANSWER", _CALLER, "hotline", "Answer"),
    _Record(2.000, "ASKED", _CALLER, "person", "CELGenUserEvent", '{"extra":"inquiry|zh-CN|0|menu"}'),
    _Record(2.004, "CHAN_START", _AGENT, "from-agents"),
    _Record(4.000, "ANSWER", _AGENT, "from-agents", "AppQueue"),
    _Record(4.002, "CHAN_START", _JOIN, "number-voice"),
    _Record(4.002, "CHAN_START", _VOICE, "number-voice"),
    _Record(4.003, "ANSWER", _VOICE, "number-voice", "Answer"),
    _Record(4.003, "ANSWER", _JOIN, "number-voice", "AppDial2"),
    _Record(4.006, "BRIDGE_ENTER", _AGENT, "from-agents", "AppQueue", _BRIDGE),
    _Record(4.007, "BRIDGE_ENTER", _CALLER, "person", "Queue", _BRIDGE),
    _Record(4.027, "BRIDGE_ENTER", _JOIN, "number-join", "BridgeAdd", _BRIDGE),
    _Record(8.000, "HANGUP", _VOICE, "number-voice", "", '{"hangupcause":16,"hangupsource":"dialplan/builtin"}'),
    _Record(8.000, "CHAN_END", _VOICE, "number-voice"),
    _Record(8.000, "LINKEDID_END", _VOICE, "number-voice"),
    _Record(8.001, "BRIDGE_EXIT", _JOIN, "number-join", "BridgeAdd", _BRIDGE),
    _Record(8.001, "HANGUP", _JOIN, "number-join", "AppDial2", '{"hangupcause":16,"hangupsource":""}'),
    _Record(8.001, "CHAN_END", _JOIN, "number-join", "AppDial2"),
    _Record(10.000, "BRIDGE_EXIT", _CALLER, "person", "Queue", _BRIDGE),
    _Record(10.002, "BRIDGE_EXIT", _AGENT, "from-agents", "AppQueue", _BRIDGE),
    _Record(10.003, "HANGUP", _CALLER, "person", "", _HUNG_UP),
    _Record(10.003, "CHAN_END", _CALLER, "person"),
    _Record(10.004, "HANGUP", _AGENT, "from-agents", "AppQueue", _HUNG_UP),
    _Record(10.004, "CHAN_END", _AGENT, "from-agents", "AppQueue"),
    _Record(10.004, "LINKEDID_END", _AGENT, "from-agents", "AppQueue"),
)
RECORDS = len(_CALL)
"""Records of one call."""


def call_id(number: int, began: float) -> str:
    """The unique id of the ``number``-th call's caller."""
    return f"bench-{began:.0f}.{number * CHANNELS}"


def channel(number: int) -> str:
    """The name of the ``number``-th call's caller's channel."""
    return f"PJSIP/bench-{number:08x}"


def menu_request(port: int, number: int, began: float) -> bytes:
    """What Asterisk sends first when one call enters the menu that is served on ``port``."""
    fields = {
        "network": "yes",
        "network_script": "menu",
        "request": f"agi://127.0.0.1:{port}/menu",
        "channel": channel(number),
        "language": "zh-CN",
        "type": "PJSIP",
        "uniqueid": call_id(number, began),
        "callerid": "13800138000",
        "calleridname": "unknown",
        "dnid": "95000",
        "context": "hotline",
        "extension": "s",
        "priority": "7",
    }
    return "".join(f"agi_{name}: {value}\n" for name, value in fields.items()).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Told:
    """One record of one call."""

    at: float
    record: _Record
    channel: str
    unique_id: str
    linked_id: str
    extra: str


def _told(number: int, began: float) -> Iterator[_Told]:
    names = (
        channel(number),
        f"PJSIP/10001-{number:08x}",
        f"Local/s@number-voice-{number:08x};1",
        f"Local/s@number-voice-{number:08x};2",
    )
    ids = [f"bench-{began:.0f}.{number * CHANNELS + which}" for which in range(CHANNELS)]
    linked = (ids[_CALLER], ids[_CALLER], ids[_JOIN], ids[_JOIN])
    for record in _CALL:
        extra = record.extra % {"number": number} if "%(" in record.extra else record.extra
        which = record.channel
        yield _Told(began + record.at_s, record, names[which], ids[which], linked[which], extra)


def call_lines(number: int, began: float) -> bytes:
    """One call's records as Asterisk's channel event log has them on disk."""
    return "".join(
        ",".join(
            '"' + value.replace('"', '""') + '"'
            for value in (
                *(told.record.name, f"{told.at:.6f}", "13800138000", told.channel, "s", told.record.context),
                *(told.record.application, told.unique_id, told.linked_id, "", told.extra),
            )
        )
        + "\n"
        for told in _told(number, began)
    ).encode()


def call_messages(number: int, began: float) -> Iterator[tuple[float, bytes]]:
    """One call's records as AMI events, with their times; ``began`` in seconds since the epoch."""
    for told in _told(number, began):
        record, at = told.record, told.at
        lines = (
            "Event: CEL",
            "Privilege: call,all",
            f"Timestamp: {at:.6f}",
            f"EventName: {record.name}",
            "AccountCode: ",
            "CallerIDnum: 13800138000",
            "CallerIDname: ",
            "CallerIDani: 13800138000",
            "CallerIDrdnis: ",
            "CallerIDdnid: 95000",
            "Exten: s",
            f"Context: {record.context}",
            f"Channel: {told.channel}",
            f"Application: {record.application}",
            "AppData: ",
            f"EventTime: {at:.6f}",
            "AMAFlags: DOCUMENTATION",
            f"UniqueID: {told.unique_id}",
            f"LinkedID: {told.linked_id}",
            "UserField: ",
            "Peer: ",
            "PeerAccount: ",
            f"Extra: {told.extra}",
            "",
            "",
        )
        yield at, "\r\n".join(lines).encode()
