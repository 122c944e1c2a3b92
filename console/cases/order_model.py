"""What ``/api/v1/inquiries`` and ``/api/v1/orders`` take and give, as types (A5, A7, C10, I3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from calls.case_events import COMMON
from calls.cases import Channel
from calls.inquiries import AnyOrderEvent, Inquiry, OrderState, WorkOrder
from console.cases.api_model import LineOut

_Short = Annotated[str, StringConstraints(max_length=200)]
_Text = Annotated[str, StringConstraints(max_length=4000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
_Place = Annotated[str, StringConstraints(max_length=60)]
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class InquiriesQuery(BaseModel):
    """Which inquiries to list."""

    model_config = _FROZEN

    category: _Name | None = Field(None, description="Only this category and what is below it.")
    dispatched: bool | None = Field(None, description="Only those that became work orders, or did not.")
    since: AwareDatetime | None = Field(None, description="Asked at this moment or later.")
    until: AwareDatetime | None = Field(None, description="Asked before this moment.")
    contact: _Short | None = Field(None, description="Only of whoever has this number.")
    text: _Short = Field("", description="A number, a contact, or words; all of them must be there.")
    before: _Place | None = Field(None, description="`before` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Lines of a page.")


class OrdersQuery(BaseModel):
    """Which work orders to list."""

    model_config = _FROZEN

    state: OrderState | None = Field(None, description="Only work orders in this state.")
    open: bool = Field(False, description="Only work orders of which the caller was not told.")
    department: _Name | None = Field(None, description="Only this department's.")
    late: bool = Field(False, description="Only open ones whose promise is over.")
    text: _Short = Field("", description="A number, a contact, or words; all of them must be there.")
    after: _Place | None = Field(None, description="`after` of the page before.")
    limit: int = Field(50, ge=1, le=200, description="Lines of a page.")


class Promise(BaseModel):
    """Who settles it, and what the caller was promised (A5)."""

    model_config = _FROZEN

    department: _Name | None = Field(None, description="None: the one that the category names.")
    promise: _Text = Field(description="In the words that the caller heard.")
    due_at: AwareDatetime = Field(description="Until when the caller was promised an answer.")


class NewInquiry(BaseModel):
    """An inquiry: answered at once, or dispatched as a work order."""

    model_config = _FROZEN

    asked_at: AwareDatetime
    channel: Channel = Channel.PLATFORM
    section: _Name = "inquiry"
    category: _Name = Field(description="A leaf of the category tree.")
    content: _Text
    answer: _Text = Field("", description="What was answered at once; needed unless it is dispatched.")
    name: _Short = ""
    contact: _Short = ""
    dispatch: Promise | None = None


class NewOrder(Promise):
    """A work order that comes from no inquiry."""

    section: _Name = "inquiry"
    category: _Name = Field(description="A leaf of the category tree.")
    content: _Text
    name: _Short = ""
    contact: _Short


class NewOrderLine(BaseModel):
    """A line for a work order's history. Sent twice, the second is refused: the version has passed."""

    model_config = _FROZEN

    kind: _Name = Field(description="accepted, passed_on, done, answered, promised, note, cancelled")
    version: int = Field(ge=1, description="The version of the work order that was seen.")
    fields: dict[_Name, _Text] = Field(default_factory=dict, description="As the form of this line asks for.")


class InquiryOut(BaseModel):
    """An inquiry."""

    number: str
    asked_at: datetime
    filed_at: datetime
    filed_by: str
    channel: Channel
    section: str
    category: str
    content: str
    answer: str
    name: str
    contact: str
    work_order: str | None = Field(description="What it became; none: it was answered at once.")

    @classmethod
    def of(cls, inquiry: Inquiry) -> InquiryOut:
        return cls(**{name: getattr(inquiry, name) for name in cls.model_fields})


class InquiriesOut(BaseModel):
    """A page of inquiries, the last first."""

    inquiries: list[InquiryOut]
    before: str | None = Field(description="Where the next page goes on; none: this is the last.")


class OrderLineOut(BaseModel):
    """A work order, without its history."""

    number: str
    version: int
    state: OrderState
    created_at: datetime
    section: str
    department: str
    category: str
    content: str
    promise: str
    due_at: datetime
    name: str
    contact: str
    origin: str | None = Field(description="The inquiry or complaint that it comes from.")
    result: str
    told: str
    answered_at: datetime | None
    kept: bool | None = Field(description="Whether the promise was kept; none while it may still be.")

    @classmethod
    def of(cls, order: WorkOrder, now: datetime) -> OrderLineOut:
        return cls(**_told(order, now))


class OrderOut(OrderLineOut):
    """A work order with its history."""

    history: list[LineOut]

    @classmethod
    def whole(cls, order: WorkOrder, history: Sequence[AnyOrderEvent], now: datetime) -> OrderOut:
        return cls(**_told(order, now), history=[_line(event) for event in history])


class OrdersOut(BaseModel):
    """A page of work orders: open ones with the first promise first, then those that are over."""

    orders: list[OrderLineOut]
    after: str | None = Field(description="Where the next page goes on; none: this is the last.")


def _told(order: WorkOrder, now: datetime) -> dict[str, object]:
    names = OrderLineOut.model_fields.keys() - {"kept"}
    return {name: getattr(order, name) for name in names} | {"kept": order.kept(now)}


def _line(event: AnyOrderEvent) -> LineOut:
    names = [each.name for each in fields(event) if each.name not in COMMON]
    told = {name: value for name in names if (value := getattr(event, name)) is not None}
    return LineOut(kind=event.kind, at=event.at, by=event.by, why=event.why, fields=told)
