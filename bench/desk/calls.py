"""Calls as Asterisk's manager interface tells them, each to one agent's telephone, without an Asterisk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

_CALLER, _AGENT = 0, 1


@dataclass(frozen=True, slots=True)
class BenchCall:
    """One call; ``began`` in seconds since the epoch."""

    number: int
    began: float
    agent: str
    caller: str

    @property
    def call_id(self) -> str:
        return f"desk-{self.began:.0f}.{self.number * 2}"

    def record(self, after_s: float, name: str, context: str, *, of_agent: bool = False, extra: str = "") -> bytes:
        """One record of the channel event log as an AMI event."""
        which = _AGENT if of_agent else _CALLER
        channel = f"PJSIP/{self.agent}-{self.number:08x}" if of_agent else f"PJSIP/bench-{self.number:08x}"
        lines = (
            "Event: CEL",
            "Privilege: call,all",
            f"Timestamp: {self.began + after_s:.6f}",
            f"EventName: {name}",
            f"CallerIDnum: {self.caller}",
            f"Context: {context}",
            f"Channel: {channel}",
            f"UniqueID: desk-{self.began:.0f}.{self.number * 2 + which}",
            f"LinkedID: {self.call_id}",
            f"Extra: {extra}",
            "",
            "",
        )
        return "\r\n".join(lines).encode()

    def told(self, menu_s: float, ring_s: float, talk_s: float) -> Iterator[tuple[float, str, bytes]]:
        """Everything, with the seconds after the beginning and a name for each step."""
        rings = menu_s + 0.004
        answers, ends = rings + ring_s, rings + ring_s + talk_s
        by_caller = f"PJSIP/bench-{self.number:08x}"
        gone = json.dumps({"hangupcause": 16, "hangupsource": by_caller, "dialstatus": "ANSWER"})
        yield 0.0, "arrived", self.record(0.0, "ARRIVED", "hotline", extra='{"extra":"bench"}')
        asked = '{"extra":"inquiry|zh-CN|0|menu"}'
        yield menu_s, "asked", self.record(menu_s, "ASKED", "person", extra=asked)
        yield rings, "rang", self.record(rings, "CHAN_START", "from-agents", of_agent=True)
        yield answers, "answered", self.record(answers, "ANSWER", "from-agents", of_agent=True)
        yield answers, "connected", self.record(answers, "BRIDGE_ENTER", "from-agents", of_agent=True)
        yield ends, "left", self.record(ends, "HANGUP", "from-agents", of_agent=True, extra=gone)
        yield ends, "ended", self.record(ends, "HANGUP", "person", extra=gone)
