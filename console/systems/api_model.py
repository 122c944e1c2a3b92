"""What ``/api/v1/events`` and ``/api/v1/callbacks`` take and give, as types (I3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from calls.callbacks import CallBack, CallbackState, Origin
from calls.desk import masked
from calls.outbox import News

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class EventsQuery(BaseModel):
    """Which events to give."""

    model_config = _FROZEN

    after: int = Field(0, ge=0, le=2**53, description="The last event that was read; 0: from the beginning.")
    limit: int = Field(100, ge=1, le=500, description="Events at most.")


class EventCaseOut(BaseModel):
    """The case, and where it stands since."""

    number: str
    version: int
    state: str
    section: str
    channel: str = Field(description="How it reached us; empty of a work order.")


class EventOut(BaseModel):
    """One line of a complaint's, inquiry's or work order's history, as webhooks post it. Nothing personal (P3)."""

    id: int = Field(description="Goes up; the same in webhooks (`Sansheng-Event`).")
    type: str = Field(description="`case.registered`, `case.forwarded`, `inquiry.filed`, `order.dispatched` …")
    at: datetime
    case: EventCaseOut

    @classmethod
    def of(cls, news: News) -> EventOut:
        return cls(
            id=news.id,
            type=news.type,
            at=news.at,
            case=EventCaseOut(
                number=news.number,
                version=news.version,
                state=news.state,
                section=news.section,
                channel=news.channel,
            ),
        )


class EventsOut(BaseModel):
    """Events in their order."""

    events: list[EventOut]
    last: int = Field(description="`after` of the next question.")


class SurveyLinkOut(BaseModel):
    """A link to the survey, and the number that it is to be sent to."""

    call_id: str
    number: str = Field(description="Personal data: to send the link to, and for nothing else.")
    url: str
    language: str
    expires_at: datetime


class SurveyLinksOut(BaseModel):
    """Links that wait to be sent."""

    links: list[SurveyLinkOut]


class NewCallbackIn(BaseModel):
    """Somebody to be called back."""

    model_config = _FROZEN

    telephone: Annotated[str, StringConstraints(min_length=3, max_length=25)] = Field(
        description="Digits, after a + at most; numbers that the operator does not call are refused."
    )
    section: _Name = Field("inquiry", description="Whose agents call.")
    language: _Name = Field("zh-CN", description="In which the caller is greeted.")
    due_at: AwareDatetime | None = Field(
        None, description="Until when it was promised; null: as the hotline promises by itself."
    )
    case: Annotated[str, StringConstraints(max_length=20)] | None = Field(
        None, description="Number of the complaint that it is about."
    )
    priority: bool = False


class CallbackOut(BaseModel):
    """One call-back. The telephone number is masked (P3)."""

    number: int
    origin: Origin
    state: CallbackState
    telephone: str
    section: str | None
    language: str
    case: str | None
    made_at: datetime
    due_at: datetime
    reached_at: datetime | None
    tries: int = Field(description="How often the caller's telephone was rung.")
    late: bool = Field(description="Whether the promise is broken, or has been by now.")

    @classmethod
    def of(cls, callback: CallBack, now: datetime) -> CallbackOut:
        return cls(
            number=callback.number,
            origin=callback.origin,
            state=callback.state,
            telephone=masked(callback.telephone),
            section=callback.section,
            language=callback.language,
            case=callback.case_id,
            made_at=callback.made_at,
            due_at=callback.due_at,
            reached_at=callback.reached_at,
            tries=callback.tries,
            late=callback.broken_at(now),
        )


class CallbacksOut(BaseModel):
    """The open ones, in the order in which they are called."""

    callbacks: list[CallbackOut]
