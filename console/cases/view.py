"""Cases in words: clocks, histories and choices as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from calls.case import Case
from calls.case_book import CaseRow
from calls.case_events import COMMON, AnyCaseEvent, CaseRegistered
from calls.cases import (
    Answer,
    Channel,
    ComplaintType,
    Importance,
    Known,
    LinkKind,
    PauseReason,
    Standing,
    Urgency,
)
from calls.inquiries import AnyOrderEvent, OrderDispatched
from cases.catalogue import Catalogue
from console.texts import Texts

Choices = Sequence[tuple[str, str]]


class Tone(StrEnum):
    """How a clock looks; its words alone must be enough."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class ClockShown:
    """A clock in words."""

    text: str
    tone: Tone


def lasting(length: timedelta, texts: Texts) -> str:
    """A length in the two largest units that it has."""
    minutes = max(0, round(length.total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days and hours:
        return texts("case_time.days", days=days, hours=hours)
    if days:
        return texts("case_time.whole_days", days=days)
    if hours:
        return texts("case_time.hours", hours=hours, minutes=minutes)
    return texts("case_time.minutes", minutes=minutes)


def clock(
    standing: Standing, now: datetime, paused_until: datetime | None, zone: ZoneInfo, texts: Texts
) -> ClockShown:
    """Due or late, in words; done in time or not."""
    due, ended = standing.due_at, standing.run.ended_at
    if due is None:
        known = standing.known is not Known.NOT_YET
        return ClockShown(texts("case_clock.no_limit") if known else texts("case_clock.not_known"), Tone.QUIET)
    if ended is not None:
        if standing.in_time:
            return ClockShown(texts("case_clock.in_time"), Tone.GOOD)
        return ClockShown(texts("case_clock.done_late", by=lasting(ended - due, texts)), Tone.BAD)
    return running(due, standing.warn_at, now, paused_until, zone, texts)


def running(
    due: datetime,
    warn_at: datetime | None,
    now: datetime,
    paused_until: datetime | None,
    zone: ZoneInfo,
    texts: Texts,
) -> ClockShown:
    """A clock that runs, or stands still."""
    if now > due:
        return ClockShown(texts("case_clock.late", by=lasting(now - due, texts)), Tone.BAD)
    if paused_until is not None and now < paused_until:
        until = f"{paused_until.astimezone(zone):%m-%d %H:%M}"
        return ClockShown(texts("case_clock.paused", until=until), Tone.QUIET)
    tone = Tone.WARN if warn_at is not None and now >= warn_at else Tone.QUIET
    return ClockShown(texts("case_clock.left", left=lasting(due - now, texts)), tone)


def row_clock(row: CaseRow, now: datetime, zone: ZoneInfo, texts: Texts) -> ClockShown | None:
    """The clock of a line of the ledger; ``None`` of a closed case."""
    if row.step is None:
        return None
    if row.due_at is None:
        if row.due_known == Known.NOT_YET.value:
            return ClockShown(texts("case_clock.not_known"), Tone.QUIET)
        return ClockShown(texts("case_clock.no_limit"), Tone.QUIET)
    warn_at = row.due_at - timedelta(hours=8)
    return running(row.due_at, warn_at, now, row.paused_until, zone, texts)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history."""

    at: datetime
    by: str
    kind: str
    why: str
    told: tuple[tuple[str, str], ...]
    """Names of fields, and what was said in them."""
    new: bool = False
    """Written by somebody else since the reader opened the page."""


class Naming:
    """Values of fields in words."""

    def __init__(self, texts: Texts, catalogue: Catalogue, sections: Mapping[Any, str], zone: ZoneInfo) -> None:
        self._texts = texts
        self._catalogue = catalogue
        self._sections = sections
        self._zone = zone
        self.takers: Choices = []
        """Who a case may be handed to; set for the page of one case."""

    def value(self, name: str, value: object) -> str:
        """What a field's value is called."""
        language, texts = self._texts.language, self._texts
        if value is None or value == "":
            return ""
        match name:
            case "department":
                return self._catalogue.department_name(str(value), language)
            case "cause":
                return self._catalogue.cause_name(str(value), language)
            case "category":
                return self._catalogue.category_name(str(value), language)
            case "section":
                return self._sections.get(value, str(value))
            case "channel" | "type" | "urgency" | "importance" | "answer" | "reason" | "link":
                return texts(f"case_{name}.{value}")
        if isinstance(value, datetime) and name in ("due_at", "done_by", "until"):
            return self.due(value)
        if isinstance(value, bool):
            return texts("case_word.yes") if value else ""
        if isinstance(value, datetime):
            return f"{value.astimezone(self._zone):%Y-%m-%d %H:%M}"
        return str(value)

    def due(self, moment: datetime | None) -> str:
        """The end of a time; the midnight that ends a day as that day's 24:00, as people say it."""
        if moment is None:
            return "–"
        local = moment.astimezone(self._zone)
        if local.time() == time():
            return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
        return f"{local:%Y-%m-%d %H:%M}"

    def lines(
        self, history: Sequence[AnyCaseEvent] | Sequence[AnyOrderEvent], seen: int | None = None
    ) -> list[Line]:
        """A history, the last line first."""
        found = [self._line(event, seen is not None and n > seen) for n, event in enumerate(history, 1)]
        return found[::-1]

    def _line(self, event: AnyCaseEvent | AnyOrderEvent, new: bool) -> Line:
        whole = isinstance(event, CaseRegistered | OrderDispatched)
        names = [] if whole else [each.name for each in fields(event) if each.name not in COMMON]
        told = ((name, self.value(name, getattr(event, name))) for name in names)
        return Line(event.at, event.by, event.kind, event.why, tuple(pair for pair in told if pair[1]), new)

    # ── Choices ──────────────────────────────────────────────────────────────────────────────────────────────

    def choices(self, name: str, case: Case | None = None) -> Choices:
        """What a choice offers."""
        language = self._texts.language
        empty = ("", self._texts("case_word.choose"))
        match name:
            case "departments":
                return [empty, *((each, self.value("department", each)) for each in self._catalogue.departments)]
            case "takers":
                return [empty, *self.takers]
            case "causes":
                unknown = ("", self._texts("case_word.not_known_yet"))
                return [unknown, *((each, self.value("cause", each)) for each in self._catalogue.causes)]
            case "categories":
                return [empty, *self.tree(language)]
            case "channels":
                return self._enum("channel", Channel)
            case "types":
                return self._enum("type", ComplaintType)
            case "urgencies":
                return self._enum("urgency", reversed(Urgency))
            case "importances":
                return self._enum("importance", reversed(Importance))
            case "answers":
                return [empty, *self._enum("answer", Answer)]
            case "reasons":
                return self._enum("reason", PauseReason)
            case "link_kinds":
                return self._enum("link", (LinkKind.CALL, LinkKind.CASE, LinkKind.CALLBACK, LinkKind.RECORDING))
            case "links":
                links = sorted(case.links) if case else []
                return [
                    (f"{link.kind}:{link.ref}", f"{self.value('link', link.kind)} {link.ref}") for link in links
                ]
        raise KeyError(name)

    def tree(self, language: Any, section: Any = None) -> Choices:
        """Leaves of the category tree under the names of their parents."""
        offered = self._catalogue.offered(section) if section else self._catalogue.categories.values()
        return [(each.id, self._catalogue.category_name(each.id, language)) for each in offered if each.is_leaf]

    def _enum(self, name: str, values: Any) -> Choices:
        return [(each.value, self._texts(f"case_{name}.{each.value}")) for each in values]
