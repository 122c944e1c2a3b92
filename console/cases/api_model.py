"""What ``/api/v1/cases`` takes and gives, as types; its OpenAPI document is made from them (C1, I3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from calls.case import Case
from calls.case_book import CaseRow
from calls.case_events import COMMON, AnyCaseEvent
from calls.cases import Channel, ComplaintType, Importance, Standing, State, Urgency

_Short = Annotated[str, StringConstraints(max_length=200)]
_Text = Annotated[str, StringConstraints(max_length=4000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class CasesQuery(BaseModel):
    """Which complaints to list."""

    model_config = _FROZEN

    state: State | None = Field(None, description="Only complaints in this state.")
    open: bool = Field(False, description="Only complaints that are not closed.")
    since: AwareDatetime | None = Field(None, description="Registered at this moment or later.")
    until: AwareDatetime | None = Field(None, description="Registered before this moment.")
    type: ComplaintType | None = Field(None, description="Only complaints of this type.")
    cause: _Name | None = Field(None, description="Only complaints with this cause; - for those without one.")
    department: _Name | None = Field(None, description="Only this department's; - for those without one.")
    text: _Short = Field("", description="A number, a contact, or words; all of them must be there.")
    after: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        None, description="`after` of the page before."
    )
    limit: int = Field(50, ge=1, le=200, description="Lines of a page.")


class NewCase(BaseModel):
    """A complaint to be registered."""

    model_config = _FROZEN

    channel: Channel = Channel.PLATFORM
    arrived_at: AwareDatetime = Field(
        description="When it reached the first of us: the ten minutes run from here."
    )
    section: _Name = "complaint"
    name: _Short
    contact: _Short = ""
    occurred_at: AwareDatetime | None = None
    place: _Short
    content: _Text
    type: ComplaintType
    cause: _Name | None = None
    category: _Name | None = None
    urgency: Urgency = Urgency.ORDINARY
    importance: Importance = Importance.ORDINARY
    key_customer: bool = False
    call_id: _Name | None = Field(None, description="The call's id; its own arrival counts then.")


class NewLine(BaseModel):
    """A line for a complaint's history. Sent twice, the second is refused: the version has passed."""

    model_config = _FROZEN

    kind: _Name = Field(description="forwarded, opinion, returned, approved, done, reported, fed_back, note, …")
    version: int = Field(ge=1, description="The version of the complaint that was seen.")
    fields: dict[_Name, _Text] = Field(default_factory=dict, description="As the form of this line asks for.")


class StepOut(BaseModel):
    """One step with its clock."""

    step: str
    department: str | None
    began_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    clock: str = Field(description="due, no_limit, or not_yet: public holidays are not published.")
    in_time: bool | None

    @classmethod
    def of(cls, standing: Standing) -> StepOut:
        run = standing.run
        return cls(
            step=run.step.value,
            department=run.department,
            began_at=run.began_at,
            ended_at=run.ended_at,
            due_at=standing.due_at,
            clock=standing.known.value,
            in_time=standing.in_time,
        )


class LineOut(BaseModel):
    """One line of a history."""

    kind: str
    at: datetime
    by: str
    why: str
    fields: dict[str, Any]

    @classmethod
    def of(cls, event: AnyCaseEvent) -> LineOut:
        names = [each.name for each in fields(event) if each.name not in COMMON]
        told = {name: value for name in names if (value := getattr(event, name)) is not None}
        return cls(kind=event.kind, at=event.at, by=event.by, why=event.why, fields=told)


class CaseOut(BaseModel):
    """A complaint with its clocks and its history."""

    number: str
    version: int
    state: State
    round: int
    channel: Channel
    arrived_at: datetime
    registered_at: datetime
    registered_late: bool
    name: str
    contact: str
    place: str
    content: str
    section: str
    department: str | None
    owner: str
    type: ComplaintType
    cause: str | None
    urgency: Urgency
    importance: Importance
    key_customer: bool
    result: str
    answer: str | None
    closed_at: datetime | None
    steps: list[StepOut]
    history: list[LineOut]

    @classmethod
    def of(cls, case: Case, standings: Sequence[Standing], history: Sequence[AnyCaseEvent]) -> CaseOut:
        names = set(cls.model_fields) - {"steps", "history", "registered_late"}
        return cls(
            **{name: getattr(case, name) for name in names},
            registered_late=case.registered_late,
            steps=[StepOut.of(standing) for standing in standings],
            history=[LineOut.of(event) for event in history],
        )


class CaseLineOut(BaseModel):
    """One line of the ledger."""

    number: str
    state: State
    channel: str
    registered_at: datetime
    registered_late: bool
    name: str
    contact: str
    place: str
    type: str
    cause: str | None
    department: str | None
    owner: str
    step: str | None
    due_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, row: CaseRow) -> CaseLineOut:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class CasesOut(BaseModel):
    """A page of the ledger: what goes first and is due first, then the last closed."""

    cases: list[CaseLineOut]
    after: str | None = Field(description="Where the next page goes on; none: this is the last.")


class FaultOut(BaseModel):
    """What is wrong with one field."""

    field: str
    wrong: str


class CaseFailure(BaseModel):
    """Why there is no other answer."""

    error: str
    faults: list[FaultOut] = []
    version: int | None = Field(None, description="Of a conflict: the version that the complaint is at now.")
