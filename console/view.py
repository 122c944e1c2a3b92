"""The live picture in a reader's words: what the template paints first and /live sends after that.

Every value is ready to be shown: a text, a number as text, or an instant in milliseconds since 1970 from which
the page counts up. There is no caller's number in it, nor in what it is made of (P1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from calls.call import Stage
from calls.ids import AgentNumber, Language, SectionId
from calls.live import AgentNow, AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.ports import DayFigures, Ratio
from console.texts import Texts

View = dict[str, object]
"""What JSON can hold."""

NOTHING = "–"
"""Shown in place of a figure that is not known, or a share of nothing."""

_COUNTED = (AgentState.READY, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP, AgentState.PAUSED)


@dataclass(frozen=True, slots=True)
class Board:
    """What the page has to know of the operation beside the picture."""

    section_names: Mapping[SectionId, Mapping[Language, str]] = field(default_factory=dict)
    """A section without a name is shown by its id."""
    time_zone: str = "Asia/Shanghai"
    """In which people read the clock."""
    ring_s: float = 5.0
    """One ring in seconds."""
    rings: int = 3
    """Rings within which a call is answered (A1)."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def limit_s(self) -> float:
        """A1's limit in seconds."""
        return self.ring_s * self.rings


def view_of(picture: Picture, texts: Texts, board: Board) -> View:
    """The picture in the reader's language."""
    names = {
        section: by_language.get(texts.language, section) for section, by_language in board.section_names.items()
    }
    in_place = sorted(picture.agents, key=lambda agent: (agent.state is AgentState.LOGGED_OUT, agent.number))
    all_sections = frozenset(queue.section for queue in picture.queues)
    called = {agent.number: agent.name or "" for agent in picture.agents}
    return {
        "at": _instant(picture.at),
        "link": picture.link.value,
        "link_text": texts(f"link.{picture.link}"),
        "link_banner": "" if picture.link is LinkNow.UP else texts(f"link_banner.{picture.link}"),
        "link_up": picture.link is LinkNow.UP,
        "figures": _figures(picture.figures),
        "figures_known": picture.figures is not None,
        "callbacks_open": str(picture.callbacks_open),
        "callbacks_alert": "amber" if picture.callbacks_open else None,
        "queues": [_queue(queue, texts, names) for queue in picture.queues],
        "agents": [_agent(agent, texts, names, all_sections) for agent in in_place],
        "agents_count": _count(picture.agents, texts),
        "somebody_logged_in": any(agent.state is not AgentState.LOGGED_OUT for agent in picture.agents),
        "calls": [_call(call, texts, names, board, called) for call in sorted(picture.calls, key=_urgency)],
        "calls_count": str(len(picture.calls)),
        "somebody_calls": bool(picture.calls),
    }


def percent(ratio: Ratio) -> str:
    """A ratio for people. Cut, not rounded: 100 % means all of them."""
    if not ratio.denominator:
        return NOTHING
    share = Decimal(100 * ratio.numerator) / Decimal(ratio.denominator)
    return f"{share.quantize(Decimal('0.1'), ROUND_DOWN)}%".replace(".0%", "%")


def _figures(figures: DayFigures | None) -> View:
    if figures is None:
        unknown: View = {"percent": NOTHING, "of": NOTHING, "share": "0"}
        counts = dict.fromkeys(("arrived", "asked", "abandoned", "missing"), NOTHING)
        return {"k1": unknown, "k2": unknown, "k2r": unknown, **counts, "missing_alert": None}
    return {
        "k1": _ratio(figures.answered),
        "k2": _ratio(figures.within_limit),
        "k2r": _ratio(figures.rings_kept),
        "arrived": str(figures.arrived),
        "asked": str(figures.answered.denominator),
        "abandoned": str(figures.abandoned),
        "missing": str(figures.missing_recordings),
        "missing_alert": "red" if figures.missing_recordings else None,
    }


def _ratio(ratio: Ratio) -> View:
    return {
        "percent": percent(ratio),
        "of": f"{ratio.numerator} / {ratio.denominator}",
        "share": f"{100 * (ratio.value or 0):.1f}",
    }


def _queue(queue: QueueNow, texts: Texts, names: Mapping[SectionId, str]) -> View:
    since = queue.longest_wait_since
    return {
        "key": queue.section,
        "name": names.get(queue.section, queue.section),
        "waiting": str(queue.waiting),
        "busy": queue.waiting > 0,
        "ready": str(queue.agents_ready),
        "none_ready": queue.agents_ready == 0,
        "since": _instant(since) if since else None,
        "nobody": since is None,
    }


def _agent(
    agent: AgentNow, texts: Texts, names: Mapping[SectionId, str], all_sections: frozenset[SectionId]
) -> View:
    if agent.reason:
        detail = texts.named("reason", agent.reason)
    elif len(agent.sections) > 1 and all_sections <= set(agent.sections):
        detail = texts("agents.all_sections")
    else:
        detail = " · ".join(names.get(section, section) for section in agent.sections)
    return {
        "key": agent.number,
        "number": agent.number,
        "name": agent.name or "",
        "state": agent.state.value,
        "state_text": texts(f"state.{agent.state}"),
        "detail": detail,
        "since": None if agent.state is AgentState.LOGGED_OUT else _instant(agent.since),
        "rings": agent.state is AgentState.RINGING,
    }


def _call(
    call: CallNow,
    texts: Texts,
    names: Mapping[SectionId, str],
    board: Board,
    called: Mapping[AgentNumber, str],
) -> View:
    waits = call.stage is Stage.QUEUE and call.asked_at is not None
    since = call.asked_at if waits and call.asked_at else call.since
    rings = call.stage is Stage.QUEUE and call.agent is not None
    return {
        "key": call.call_id,
        "arrived": f"{call.arrived_at.astimezone(board.zone):%H:%M:%S}" if call.arrived_at else "",
        "short": "#" + call.call_id.rpartition(".")[2],
        "section": names.get(call.section, call.section) if call.section else NOTHING,
        "language": texts.named("language", call.language) if call.language else NOTHING,
        "stage": call.stage.value,
        "stage_text": texts(f"stage.{call.stage}"),
        "ringing": rings,
        "agent": call.agent or NOTHING,
        "agent_name": called.get(call.agent, "") if call.agent else "",
        "since": _instant(since),
        "waits": waits,
        "priority": call.priority,
    }


def _urgency(call: CallNow) -> tuple[int, datetime]:
    """Who waits comes first, the longest wait on top."""
    place = {Stage.QUEUE: 0, Stage.MENU: 1, Stage.TALK: 2, Stage.SURVEY: 3}
    return place.get(call.stage, 4), call.asked_at or call.since


def _count(agents: tuple[AgentNow, ...], texts: Texts) -> str:
    states = Counter(agent.state for agent in agents)
    return " · ".join(f"{texts(f'state.{state}')} {states[state]}" for state in _COUNTED if states[state])


def _instant(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
