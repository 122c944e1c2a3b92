"""One record of Asterisk's channel event log (CEL), wherever it was read, and what it says beside its columns."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime

from calls.events import Source
from ivr.ami.wire import AmiMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CelRecord:
    """One record of the channel event log."""

    name: str
    at: datetime
    channel: str
    unique_id: str
    linked_id: str
    caller: str
    context: str
    extra: str
    """JSON, or empty."""
    source: Source = field(default=Source.AMI, compare=False)


def record_of(message: AmiMessage) -> CelRecord | None:
    """The CEL record in an AMI event, or ``None`` if it is another event or lacks what every record has."""
    if message.event != "CEL" or message.timestamp is None:
        return None
    return CelRecord(
        name=message.get("EventName", ""),
        at=message.timestamp,
        channel=message.get("Channel", ""),
        unique_id=message.get("UniqueID", ""),
        linked_id=message.get("LinkedID", ""),
        caller=message.get("CallerIDnum", ""),
        context=message.get("Context", ""),
        extra=message.get("Extra", ""),
    )


def said_in(record: CelRecord) -> str:
    """What our dialplan put into the record."""
    said = extra_of(record).get("extra", "")
    return said if isinstance(said, str) else ""


def extra_of(record: CelRecord) -> dict[str, object]:
    """The record's JSON; empty, and an error in the log, if it cannot be read."""
    try:
        extra = json.loads(record.extra) if record.extra else {}
    except (ValueError, RecursionError):
        log.error("cel.extra_unreadable", extra={"call_id": record.unique_id, "record": record.name})
        return {}
    return extra if isinstance(extra, dict) else {}


def is_count(text: str) -> bool:
    """Whether a text is a small whole number in decimal digits."""
    return text.isdecimal() and len(text) <= 9
