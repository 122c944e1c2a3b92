"""Events as rows and back, in one place.

A row holds what all events have in columns and the rest as JSON. What no database can hold is refused here,
so that SQLite and PostgreSQL refuse the same things. Messages name no value: it may be a number (P1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from enum import Enum
from typing import Any, get_args, get_type_hints

from calls.errors import StorageRefused
from calls.events import AnyEvent, Event, Source
from calls.ids import CallId

_COMMON = {field.name for field in fields(Event)}
_Reader = Callable[[Any], Any]


def _reader(annotation: Any) -> _Reader:
    """What turns the JSON value of a field back into the field's type."""
    if isinstance(annotation, type) and issubclass(annotation, Enum | float):
        return annotation
    return lambda value: value


def _readers(kind: type[Event]) -> dict[str, _Reader]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind) if field.name not in _COMMON}


def _defaults(kind: type[Event]) -> dict[str, Any]:
    """Fields that rows of earlier versions do not have yet."""
    own = (field for field in fields(kind) if field.name not in _COMMON)
    return {field.name: field.default for field in own if field.default is not MISSING}


_CLASSES: dict[str, type[AnyEvent]] = {kind.kind: kind for kind in get_args(AnyEvent)}
_READERS = {name: _readers(kind) for name, kind in _CLASSES.items()}
_DEFAULTS = {name: _defaults(kind) for name, kind in _CLASSES.items()}


def event_row(event: AnyEvent) -> dict[str, Any]:
    """The row of table ``events`` that holds ``event``.

    Raises StorageRefused for a time without a zone, text with NUL or half a surrogate pair, and numbers that
    are not finite.
    """
    data = {name: _writable(event.kind, name, getattr(event, name)) for name in _READERS[event.kind]}
    if event.at.utcoffset() is None:
        raise StorageRefused(f"event {event.kind!r}: its time has no time zone")
    return {
        "key": _writable(event.kind, "key", event.key),
        "call_id": _writable(event.kind, "call_id", event.call_id),
        "kind": event.kind,
        "at": event.at,
        "data": data,
        "source": event.source,
    }


def event_of(kind: str, call_id: str, at: datetime, data: Mapping[str, Any], source: str) -> AnyEvent:
    """The event that a row holds.

    Raises StorageRefused if this version does not know the kind or source, or the row lacks a field of it.
    """
    if kind not in _CLASSES:
        raise StorageRefused(f"the ledger holds an event of a kind that this version does not know: {kind!r}")
    try:
        whole = {**_DEFAULTS[kind], **data}
        own = {name: read(whole[name]) for name, read in _READERS[kind].items()}
        told_by = Source(source)
    except (KeyError, ValueError, TypeError) as error:
        raise StorageRefused(f"the ledger holds an event {kind!r} that this version cannot read") from error
    return _CLASSES[kind](call_id=CallId(call_id), at=at, source=told_by, **own)


def _writable(kind: str, name: str, value: Any) -> Any:
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
        raise StorageRefused(f"event {kind!r}: {name} holds characters that cannot be stored")
    if isinstance(value, float) and not math.isfinite(value):
        raise StorageRefused(f"event {kind!r}: {name} is not a finite number")
    return value
