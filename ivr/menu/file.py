"""The form of a menu file: one pydantic model per table, each of which turns itself into the frozen
type of `ivr.menu.model`.

Shorthands are resolved here: "welcome" is a prompt, "sections" a target, "07:00-22:00" a span,
"closed" a day without one.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from ivr.menu import model
from ivr.menu.model import Prompts, Span, Spans

_SPAN = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


def _key(value: object) -> object:
    if not isinstance(value, str) or len(value) != 1 or value not in model.TELEPHONE_KEYS:
        raise ValueError(f"must be one key of a telephone: one of {model.TELEPHONE_KEYS}")
    return value


def _span(value: object) -> Span:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must look like "08:30-17:30"')
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    return Span(from_hour * 60 + from_minute, to_hour * 60 + to_minute)


def _spans(value: object) -> Spans:
    if value == "closed":
        return ()
    if not isinstance(value, list) or not value:
        raise ValueError('must be "closed" or a list such as ["08:30-12:00", "13:30-17:30"]')
    spans = tuple(sorted(map(_span, value)))
    if any(later.opens < earlier.closes for earlier, later in pairwise(spans)):
        raise ValueError("has hours that overlap")
    return spans


def _spans_or_usual(value: object) -> Spans | None:
    return None if value == "as-usual" else _spans(value)


def _date(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError("must be a date such as 2026-10-01") from error


def _shorthand(name: str) -> BeforeValidator:
    """Lets a plain string stand for a table with one key of this name."""
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else value)


Key: TypeAlias = Annotated[str, BeforeValidator(_key)]
Name: TypeAlias = Annotated[str, Field(min_length=1)]
DayHours: TypeAlias = Annotated[Spans, PlainValidator(_spans)]
DayHoursOrUsual: TypeAlias = Annotated[Spans | None, PlainValidator(_spans_or_usual)]
Day: TypeAlias = Annotated[date, PlainValidator(_date)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Item(_Table):
    prompt: Name | None = None
    hours: Name | None = None
    language: Name | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.prompt is None) == (self.hours is None):
            raise ValueError("must name either a prompt or the hours of a schedule")
        if self.hours is not None and self.language is not None:
            raise ValueError("cannot fix a language: hours are said in the caller's")
        return self

    def item(self) -> model.PromptItem:
        if self.hours is not None:
            return model.HoursPrompt(self.hours)
        assert self.prompt is not None
        return model.Prompt(self.prompt, self.language)


Say: TypeAlias = list[Annotated[_Item, _shorthand("prompt")]]


class _Target(_Table):
    node: Name
    language: Name | None = None

    def target(self) -> model.Target:
        return model.Target(self.node, self.language)


Target: TypeAlias = Annotated[_Target, _shorthand("node")]


class _Defaults(_Table):
    """What a choice takes where it says nothing else."""

    tries: int = 3
    timeout_s: float = 5.0
    on_invalid: Say = []
    on_timeout: Say = []


class _Announce(_Table):
    kind: Literal["announce"]
    say: Say
    next: Name
    section: Name | None = None

    def node(self, node_id: str, _: _Defaults) -> model.Node:
        return model.Announce(node_id, _prompts(self.say), self.next, self.section)


class _Choose(_Table):
    kind: Literal["choose"]
    say: Say
    choices: dict[Key, Target]
    on_giving_up: Target
    tries: int | None = None
    timeout_s: float | None = None
    on_invalid: Say | None = None
    on_timeout: Say | None = None
    section: Name | None = None

    def node(self, node_id: str, defaults: _Defaults) -> model.Node:
        return model.Choose(
            id=node_id,
            prompts=_prompts(self.say),
            choices=MappingProxyType({key: choice.target() for key, choice in self.choices.items()}),
            tries=defaults.tries if self.tries is None else self.tries,
            timeout_s=defaults.timeout_s if self.timeout_s is None else self.timeout_s,
            on_invalid=_prompts(defaults.on_invalid if self.on_invalid is None else self.on_invalid),
            on_timeout=_prompts(defaults.on_timeout if self.on_timeout is None else self.on_timeout),
            on_giving_up=self.on_giving_up.target(),
            section=self.section,
        )


class _Hours(_Table):
    kind: Literal["hours"]
    schedule: Name
    open: Name
    closed: Name
    holiday: Name

    def node(self, node_id: str, _: _Defaults) -> model.Node:
        return model.Hours(node_id, self.schedule, self.open, self.closed, self.holiday)


class _ToPerson(_Table):
    kind: Literal["to-person"]
    section: Name

    def node(self, node_id: str, _: _Defaults) -> model.Node:
        return model.ToPerson(node_id, self.section)


class _Goodbye(_Table):
    kind: Literal["goodbye"]
    say: Say

    def node(self, node_id: str, _: _Defaults) -> model.Node:
        return model.Goodbye(node_id, _prompts(self.say))


class _Section(_Table):
    names: dict[Name, Name]
    queue: Name
    always_open: bool = False
    schedule: Name | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.always_open == (self.schedule is not None):
            raise ValueError("must have either a schedule or always_open = true")
        return self

    def section(self, section_id: str) -> model.Section:
        return model.Section(section_id, MappingProxyType(self.names), self.queue, self.schedule)


class _Week(_Table):
    """Hours by day; a single day's go before those of `workdays` and `weekends`, and these before
    `every_day`.
    """

    every_day: DayHours = ()
    workdays: DayHours | None = None
    weekends: DayHours | None = None
    monday: DayHours | None = None
    tuesday: DayHours | None = None
    wednesday: DayHours | None = None
    thursday: DayHours | None = None
    friday: DayHours | None = None
    saturday: DayHours | None = None
    sunday: DayHours | None = None

    @model_validator(mode="after")
    def _open_some_time(self) -> Self:
        if not any(self.days()):
            raise ValueError("must be open on at least one day of the week")
        return self

    def days(self) -> tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]:
        workday = self.every_day if self.workdays is None else self.workdays
        weekend = self.every_day if self.weekends is None else self.weekends
        return (
            workday if self.monday is None else self.monday,
            workday if self.tuesday is None else self.tuesday,
            workday if self.wednesday is None else self.wednesday,
            workday if self.thursday is None else self.thursday,
            workday if self.friday is None else self.friday,
            weekend if self.saturday is None else self.saturday,
            weekend if self.sunday is None else self.sunday,
        )


class _Schedule(_Table):
    hours: _Week
    holidays: DayHoursOrUsual  # required: what a holiday means is for the operator to say
    makeup_workdays: DayHoursOrUsual
    special_days: dict[Day, DayHours] = {}

    def schedule(self) -> model.Schedule:
        special = MappingProxyType(self.special_days)
        return model.Schedule(self.hours.days(), self.holidays, self.makeup_workdays, special)


class _Keys(_Table):
    person: Key = "0"
    repeat: Key = "*"
    back: Key = "#"


class _Priority(_Table):
    level: Annotated[int, Field(ge=1)]
    numbers_file: Name
    say: Say = []


class MenuFile(_Table):
    """A whole menu file."""

    languages: Annotated[list[Name], Field(min_length=1)]
    start: Name
    default_section: Name
    complaints_section: Name
    transfer: Say = []
    keys: _Keys = _Keys()
    defaults: _Defaults = _Defaults()
    priority: _Priority | None = None
    sections: dict[Name, _Section]
    schedules: dict[Name, _Schedule]
    nodes: dict[Name, Annotated[_Announce | _Choose | _Hours | _ToPerson | _Goodbye, Field(discriminator="kind")]]

    def menu(self) -> model.Menu:
        """The frozen menu; whether its references lead anywhere is the linter's question."""
        return model.Menu(
            languages=tuple(self.languages),
            start=self.start,
            nodes=MappingProxyType({name: node.node(name, self.defaults) for name, node in self.nodes.items()}),
            sections=MappingProxyType({name: table.section(name) for name, table in self.sections.items()}),
            schedules=MappingProxyType({name: table.schedule() for name, table in self.schedules.items()}),
            default_section=self.default_section,
            complaints_section=self.complaints_section,
            transfer=_prompts(self.transfer),
            keys=model.Keys(self.keys.person, self.keys.repeat, self.keys.back),
            priority=self._priority(),
        )

    def _priority(self) -> model.Priority | None:
        if self.priority is None:
            return None
        return model.Priority(self.priority.level, self.priority.numbers_file, _prompts(self.priority.say))


def _prompts(say: Say) -> Prompts:
    return tuple(item.item() for item in say)
