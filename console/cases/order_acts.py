"""The lines that may be written into a work order's history, as forms (A5, C10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from calls.cases import DepartmentId, Login
from calls.inquiries import (
    AnyOrderEvent,
    CallerAnswered,
    OrderAccepted,
    OrderCancelled,
    OrderDone,
    OrderNoted,
    OrderPassedOn,
    OrderPromisedAnew,
)
from console.cases.fields import Field, Filled, Widget

_WHY = Field("why", Widget.AREA, required=True)
_NOT_TOLD = timedelta(days=1)
"""Stands in for a time that was not told: that it is missing is among the faults."""

FORMS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        OrderAccepted.kind: (),
        OrderDone.kind: (Field("result", Widget.AREA, required=True),),
        CallerAnswered.kind: (Field("told", Widget.AREA, required=True), Field("callback", Widget.LINE)),
        OrderPassedOn.kind: (Field("department", Widget.CHOICE, required=True, choices="departments"), _WHY),
        OrderPromisedAnew.kind: (
            Field("due_at", Widget.MOMENT, required=True),
            Field("promise", Widget.AREA, required=True),
        ),
        OrderNoted.kind: (Field("text", Widget.AREA, required=True),),
        OrderCancelled.kind: (_WHY,),
    }
)


def event_of(kind: str, filled: Filled, at: datetime, by: Login) -> AnyOrderEvent:
    """The line that a filled form tells; what cannot be read is in ``filled.faults``."""
    text = filled.text
    said: dict[str, Any] = {"at": at, "by": by, "why": text("why")}
    match kind:
        case OrderAccepted.kind:
            return OrderAccepted(**said)
        case OrderDone.kind:
            return OrderDone(**said, result=text("result"))
        case CallerAnswered.kind:
            return CallerAnswered(**said, told=text("told"), callback=filled.optional("callback"))
        case OrderPassedOn.kind:
            return OrderPassedOn(**said, department=DepartmentId(text("department")))
        case OrderPromisedAnew.kind:
            return OrderPromisedAnew(
                **said, due_at=filled.needed("due_at", at + _NOT_TOLD), promise=text("promise")
            )
        case OrderNoted.kind:
            return OrderNoted(**said, text=text("text"))
        case _:
            return OrderCancelled(**said)
