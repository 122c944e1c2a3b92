"""What other systems are told of cases, and how far telling them has come (I3).

What is told holds no personal data (P3): the number and where the case stands. Who is told reads the rest from
the API, with a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.cases import CaseNumber, Series

_PREFIXES = {Series.COMPLAINT.value: "case", Series.WORK_ORDER.value: "order", Series.INQUIRY.value: "inquiry"}


@dataclass(frozen=True, slots=True)
class News:
    """One line of the history of a complaint or a work order, or an inquiry's filing, as it is told outside."""

    id: int
    """Goes up with every line of any case; a reader who has seen 7 asks for those after 7."""
    number: CaseNumber
    version: int
    """The case's version that this line made."""
    kind: str
    """``registered``, ``forwarded`` …"""
    state: str
    section: str
    channel: str
    at: datetime

    @property
    def type(self) -> str:
        """``case.registered``, ``order.dispatched``, ``inquiry.filed`` …: by what the number is of."""
        return f"{_PREFIXES.get(self.number[:2], 'case')}.{self.kind}"


class DeliveryState(StrEnum):
    """Where one delivery stands."""

    WAITING = "waiting"
    """To be sent, for the first time or again."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up after the last attempt; somebody may send it again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One piece of news on its way to one receiver."""

    hook: str
    """The receiver's name in the settings."""
    news: News
    state: DeliveryState
    attempts: int
    due_at: datetime
    error: str
    """Of the last attempt, in a few words; empty if there was none."""
