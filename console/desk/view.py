"""A desk in its reader's words, as its line sends it. No telephone number is in it whole (P1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calls.desk import DeskCall, DeskNow, DeskStage, EarlierCall, Matter, MatterKind
from calls.ids import AgentNumber, Language, SectionId
from calls.live import AgentState, LinkNow
from console.texts import Texts

View = dict[str, object]
"""What JSON can hold."""

_STATES = {
    MatterKind.COMPLAINT: "case_state",
    MatterKind.WORK_ORDER: "order_state",
    MatterKind.PROMISE: "desk_promise",
}
_WHERE = {
    MatterKind.COMPLAINT: "/cases/{}",
    MatterKind.WORK_ORDER: "/orders/{}",
    MatterKind.PROMISE: "/callbacks/{}",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What turns a desk into words, for one reader."""

    texts: Texts
    zone: ZoneInfo
    sections: Mapping[SectionId, Mapping[Language, str]]
    category: Callable[[str, Language], str]
    """A category's name."""

    def section(self, section: SectionId | None) -> str:
        """A section's name; its id if it has none in this language."""
        return self.sections.get(section, {}).get(self.texts.language, section) if section else ""

    def moment(self, at: datetime, now: datetime) -> str:
        """Day and time for people; the day is left out today."""
        local, today = at.astimezone(self.zone), now.astimezone(self.zone)
        same_year = local.year == today.year
        shape = "%H:%M" if local.date() == today.date() else "%m-%d %H:%M" if same_year else "%Y-%m-%d %H:%M"
        return local.strftime(shape)


def desk_view(now: DeskNow, words: Wording) -> View:
    """The desk of this moment."""
    texts, agent = words.texts, now.agent
    paused = agent.state is AgentState.PAUSED
    return {
        "at": instant(now.at),
        "link_up": now.link is LinkNow.UP,
        "link_banner": "" if now.link is LinkNow.UP else texts(f"link_banner.{now.link}"),
        "state": agent.state.value,
        "state_text": texts(f"state.{agent.state}"),
        "since": instant(agent.since),
        "reason": texts.named("reason", agent.reason) if agent.reason else "",
        "told": texts("desk.told", why=agent.told) if agent.told else "",
        "nothing_told": not agent.told,
        "queues": " · ".join(words.section(section) for section in agent.sections),
        "logged_in": agent.state is not AgentState.LOGGED_OUT,
        "paused": paused,
        "can_pause": not paused and agent.state is not AgentState.LOGGED_OUT,
        "calls": [_call(call, now, words) for call in now.calls],
        "nobody": not now.calls,
    }


def _call(call: DeskCall, now: DeskNow, words: Wording) -> View:
    texts, dossier = words.texts, call.dossier
    earlier = [_earlier(each, now, words) for each in dossier.earlier] if dossier else []
    matters = [_matter(each, now, words) for each in dossier.matters] if dossier else []
    return {
        "key": call.call_id,
        "stage": call.stage.value,
        "stage_text": texts(f"desk_stage.{call.stage}"),
        "ringing": call.stage is DeskStage.RINGING,
        "since": instant(call.since),
        "arrived_at": instant(call.arrived_at),
        "caller": call.caller or texts("desk.withheld"),
        "known_number": bool(call.caller),
        "section": words.section(call.section),
        "language": texts.named("language", call.language) if call.language else "",
        "priority": call.priority,
        "key_customer": bool(dossier and dossier.key_customer),
        "history_there": dossier is not None,
        "history_pending": dossier is None and bool(call.caller),
        "first_time": dossier is not None and not earlier and not matters,
        "earlier": earlier,
        "matters": matters,
        "some_earlier": bool(earlier),
        "some_matters": bool(matters),
    }


def _earlier(call: EarlierCall, now: DeskNow, words: Wording) -> View:
    texts = words.texts
    lately = now.at - call.arrived_at < timedelta(days=1)
    return {
        "key": call.call_id,
        "when": words.moment(call.arrived_at, now.at),
        "lately": lately,
        "section": words.section(call.section) or "–",
        "result": texts(f"desk_result.{call.result}"),
        "bad": call.result in ("abandoned", "lost"),
        "agent": call.agent or "",
        "href": f"/calls/{call.call_id}" if _own(call, now.agent.number) else None,
    }


def _own(call: EarlierCall, agent: AgentNumber) -> bool:
    """Agents open their own calls only."""
    return call.agent == agent


def _matter(matter: Matter, now: DeskNow, words: Wording) -> View:
    texts = words.texts
    due = matter.due_at
    return {
        "key": f"{matter.kind}/{matter.number}",
        "kind": matter.kind.value,
        "kind_text": texts(f"desk_matter.{matter.kind}"),
        "number": matter.number,
        "title": _title(matter, words),
        "state": texts.named(_STATES[matter.kind], matter.state),
        "due": texts("desk.due", when=words.moment(due, now.at)) if due else "",
        "late": bool(due and due < now.at),
        "href": _WHERE[matter.kind].format(matter.number),
    }


def _title(matter: Matter, words: Wording) -> str:
    match matter.kind:
        case MatterKind.WORK_ORDER:
            return words.category(matter.title, words.texts.language)
        case MatterKind.PROMISE:
            return words.texts.named("desk_origin", matter.title)
        case MatterKind.COMPLAINT:
            return matter.title


def instant(at: datetime) -> int:
    """Milliseconds since 1970, as the page's scripts count."""
    return round(at.timestamp() * 1000)
