"""Lines of history as rows and back: of complaints and of work orders alike.

Which fields an event has is read off its class, so that a new kind needs nothing here. What no database can hold
is refused. Messages name no value: it may be personal data (P1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from calls.case_events import COMMON, AnyCaseEvent
from calls.cases import Login
from calls.errors import StorageRefused
from calls.inquiries import AnyOrderEvent

_E = TypeVar("_E")
_Reader = Callable[[Any], Any]


def _plain(value: Any) -> Any:
    return value


def _reader(annotation: Any) -> _Reader:
    """What turns the JSON value of a field back into the field's type."""
    if get_origin(annotation) in (Union, UnionType):
        (inner,) = (each for each in get_args(annotation) if each is not type(None))
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if annotation is datetime:
        return datetime.fromisoformat
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation
    return _plain


class HistoryCodec(Generic[_E]):
    """Reads and writes one family of events."""

    def __init__(self, classes: Iterable[Any]) -> None:
        self._classes: dict[str, Any] = {each.kind: each for each in classes}
        self._readers = {kind: self._readers_of(each) for kind, each in self._classes.items()}

    @staticmethod
    def _readers_of(kind: Any) -> dict[str, _Reader]:
        hints = get_type_hints(kind)
        return {each.name: _reader(hints[each.name]) for each in fields(kind) if each.name not in COMMON}

    def row(self, number: str, seq: int, event: Any) -> dict[str, Any]:
        """The row that holds an event. Raises StorageRefused for what cannot be stored."""
        if event.at.utcoffset() is None:
            raise StorageRefused(f"event {event.kind!r}: its time has no time zone")
        data = {name: _written(event.kind, name, getattr(event, name)) for name in self._readers[event.kind]}
        said = {name: _written(event.kind, name, getattr(event, name)) for name in ("by", "why")}
        return {"number": number, "seq": seq, "kind": event.kind, "at": event.at, "data": data, **said}

    def event(self, row: Any) -> _E:
        """The event that a row holds. Raises StorageRefused for one that this version does not know."""
        if row.kind not in self._classes:
            raise StorageRefused(f"a history holds an event that this version does not know: {row.kind!r}")
        readers = self._readers[row.kind]
        data: Mapping[str, Any] = row.data
        try:
            own = {name: read(data[name]) for name, read in readers.items() if name in data}
            made: _E = self._classes[row.kind](at=row.at, by=Login(row.by), why=row.why, **own)
        except (ValueError, TypeError) as error:
            raise StorageRefused(f"a history holds an event {row.kind!r} that this version cannot read") from error
        return made


CASES: HistoryCodec[AnyCaseEvent] = HistoryCodec(get_args(AnyCaseEvent))
ORDERS: HistoryCodec[AnyOrderEvent] = HistoryCodec(get_args(AnyOrderEvent))


def storable(kind: str, name: str, text: str) -> str:
    """The text, if databases can hold it. Raises StorageRefused."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise StorageRefused(f"{kind!r}: {name} holds characters that cannot be stored")
    return text


def _written(kind: str, name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise StorageRefused(f"event {kind!r}: {name} has no time zone")
        return value.isoformat()
    return storable(kind, name, value) if isinstance(value, str) else value
