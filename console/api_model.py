"""What ``/api/v1`` takes and gives, as types; ``/api/v1/openapi.json`` is made from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from calls.errors import FigureError
from calls.figures import Figure, Unit
from calls.measures import Dimension, Slice
from calls.periods import Grain, Period
from calls.workdays import Days
from metrics.kpi.model import Basis, Kpi, Text

_Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_Label = Annotated[str, StringConstraints(min_length=4, max_length=20)]
_KpiVersion = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,20}=[0-9]{1,6}$")]


class By(StrEnum):
    """What figures can be told apart by. Every section has one queue, of its own name."""

    SECTION = "section"
    QUEUE = "queue"
    AGENT = "agent"
    LANGUAGE = "language"
    TRUNK = "trunk"

    @property
    def dimension(self) -> Dimension:
        return Dimension.SECTION if self is By.QUEUE else Dimension(self.value)


class KpiQuery(BaseModel):
    """The question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kpi: Annotated[list[_Name], Field(max_length=60)] = Field(
        [], description="Ids of indicators, e.g. K1; may be repeated. None: all that are defined for the slice."
    )
    period: Annotated[list[_Label], Field(max_length=400)] = Field(
        [],
        description="Labels of periods: 2026-11-22T14, 2026-11-22, 2026-W47, 2026-11, 2026-Q4, 2026; may be"
        " repeated. Neither this nor `from`: today.",
    )
    from_: _Label | None = Field(None, alias="from", description="Label of the first period; together with `to`.")
    to: _Label | None = Field(None, description="Label of the last period, which is included.")
    grain: Grain = Field(Grain.DAY, description="Of the periods between `from` and `to`.")
    section: _Name | None = Field(None, description="Only calls that asked for this section.")
    queue: _Name | None = Field(
        None, description="Only calls that waited in this queue: each section has one, of its own name."
    )
    agent: _Name | None = Field(None, description="Only this agent's calls and offers.")
    language: _Name | None = Field(None, description="Only calls in this language.")
    trunk: _Name | None = Field(None, description="Only calls that came by this trunk.")
    days: Days | None = Field(
        None, description="Only calls of working days, days off, or days not known to be either."
    )
    by: By | None = Field(None, description="A figure for each value of this dimension.")
    version: Annotated[list[_KpiVersion], Field(max_length=60)] = Field(
        [], description="Versions other than the current ones, as K2=1; may be repeated."
    )

    @property
    def slice(self) -> Slice:
        """The part of all calls. Raises FigureError for a section and the queue of another one."""
        if self.section and self.queue and self.section != self.queue:
            raise FigureError("`queue`: a section's calls wait in its own queue")
        return Slice(self.section or self.queue, self.agent, self.language, self.trunk, self.days)

    @property
    def dimension(self) -> Dimension | None:
        return self.by.dimension if self.by else None

    @property
    def versions(self) -> dict[str, int]:
        pairs = (text.split("=") for text in self.version)
        return {kpi: int(number) for kpi, number in pairs}


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class Failure(_Out):
    """Why there is no answer, in words for the caller."""

    error: str


class PeriodOut(_Out):
    """Half-open, in the operator's time zone."""

    grain: Grain
    label: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, period: Period) -> PeriodOut:
        return cls(grain=period.grain, label=period.label, start=period.start, end=period.end)


class SliceOut(_Out):
    """Part of all calls; null stands for all."""

    section: str | None
    queue: str | None = Field(description="The section's own, of the same name.")
    agent: str | None
    language: str | None
    trunk: str | None
    days: Days | None

    @classmethod
    def of(cls, part: Slice) -> SliceOut:
        return cls(
            section=part.section,
            queue=part.section,
            agent=part.agent,
            language=part.language,
            trunk=part.trunk,
            days=part.days,
        )


class FigureOut(_Out):
    """One indicator over one period and slice."""

    kpi: str
    version: int = Field(description="Of the definition that it was computed under.")
    names: Text
    period: PeriodOut
    slice: SliceOut
    numerator: float
    denominator: float
    value: float | None = Field(description="Numerator ÷ denominator; null if there is nothing to divide by.")
    unit: Unit
    as_of: datetime = Field(description="When the books were read.")
    provisional: bool = Field(description="Whether it may still change.")

    @classmethod
    def of(cls, figure: Figure, kpi: Kpi) -> FigureOut:
        return cls(
            kpi=figure.kpi,
            version=figure.version,
            names=kpi.names,
            period=PeriodOut.of(figure.period),
            slice=SliceOut.of(figure.slice),
            numerator=figure.numerator,
            denominator=figure.denominator,
            value=figure.value,
            unit=figure.unit,
            as_of=figure.as_of,
            provisional=figure.provisional,
        )


class KpiOut(_Out):
    """One version of one indicator's definition; texts by language."""

    id: str
    version: int
    names: Text
    formula: Text
    numerator: Text
    denominator: Text
    excluded: Text
    why: Text
    unit: Unit
    source: str
    official: bool
    lower_is_better: bool
    target: float | None
    limit_s: float | None
    basis: Basis
    dimensions: list[Dimension]

    @classmethod
    def of(cls, kpi: Kpi) -> KpiOut:
        names = [name for name in cls.model_fields if name != "dimensions"]
        return cls(dimensions=sorted(kpi.dimensions), **{name: getattr(kpi, name) for name in names})


class FiguresOut(_Out):
    """The answer."""

    time_zone: str
    definitions: list[KpiOut] = Field(description="Of the indicators in the answer.")
    figures: list[FigureOut]


class KpisOut(_Out):
    """The catalogue: every version, and which one is current here."""

    current: dict[str, int]
    definitions: list[KpiOut]


def periods_of(query: KpiQuery, today: Period, most: int) -> Sequence[Period]:
    """The periods asked for. Raises FigureError if they cannot be read, or are more than ``most``."""
    zone = today.zone
    if (query.from_ is None) != (query.to is None):
        raise FigureError("give both `from` and `to`, or neither")
    if query.from_ is None or query.to is None:
        return [Period.parse(label, zone) for label in query.period] or [today]
    if query.period:
        raise FigureError("give `period`, or `from` and `to`, not both")
    first, last = Period.parse(query.from_, zone), Period.parse(query.to, zone)
    end = last.end.timestamp()
    if end <= first.start.timestamp():
        raise FigureError("`to` lies before `from`")
    found = [Period.containing(first.start, query.grain, zone)]
    while found[-1].end.timestamp() < end:
        if len(found) > most:
            raise FigureError(f"more than {most} periods: ask for fewer, or for longer ones")
        found.append(found[-1].following())
    return found
