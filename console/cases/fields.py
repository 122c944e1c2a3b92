"""Forms of cases: what each asks for, how it is read, and how it comes back filled when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cases.flow import Fault, Wrong

_E = TypeVar("_E", bound=Enum)


class Widget(StrEnum):
    """How a field is asked for."""

    LINE = "line"
    AREA = "area"
    CHOICE = "choice"
    MOMENT = "moment"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    name: str
    widget: Widget
    required: bool = False
    choices: str = ""
    """Which list a choice is from."""
    label: str = ""
    """The key below ``case_field`` if it is not the name."""


@dataclass(slots=True)
class Filled:
    """What somebody typed, as text, and what is wrong with it."""

    values: dict[str, str]
    zone: ZoneInfo
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def of(cls, form: Mapping[str, str], zone: ZoneInfo) -> Filled:
        """Browsers end lines with CR LF; one kind of line end is kept."""
        kept = {name: value.replace("\r\n", "\n") for name, value in form.items() if name != "csrf"}
        return cls(kept, zone)

    def text(self, name: str) -> str:
        """What was typed, without blanks around it and without signs that no database can hold."""
        told = self.values.get(name, "").replace("\0", "")
        return told.encode("utf-8", "ignore").decode("utf-8").strip()

    def optional(self, name: str) -> str | None:
        """The text, or ``None`` if nothing was typed."""
        return self.text(name) or None

    def choice(self, name: str, kinds: type[_E], default: _E) -> _E:
        """One of an enum; anything else is a fault."""
        told = self.text(name)
        if not told:
            return default
        try:
            return kinds(told)
        except ValueError:
            self.faults.append(Fault(name, Wrong.UNKNOWN))
            return default

    def moment(self, name: str) -> datetime | None:
        """A local moment as browsers tell it, in UTC; ``None`` if nothing was typed; a fault if it is none."""
        told = self.text(name)
        if not told:
            return None
        try:
            found = datetime.fromisoformat(told)
        except ValueError:
            self.faults.append(Fault(name, Wrong.UNKNOWN))
            return None
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)

    def needed(self, name: str, default: datetime) -> datetime:
        """A moment that must be there; the default stands in, and that it was missing is a fault."""
        found = self.moment(name)
        if found is None and not self.text(name):
            self.faults.append(Fault(name, Wrong.MISSING))
        return found or default

    def checked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def errors(self) -> dict[str, str]:
        """What is wrong, by field: the last part of the text's key."""
        return {fault.field: fault.wrong.value for fault in reversed(self.faults)}


def local_input(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment as a browser's field for it wants it."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment else ""


def no_form(values: Mapping[str, Any], zone: ZoneInfo) -> Filled:
    """A form that nobody has typed into yet, with these values."""
    return Filled({name: str(value) for name, value in values.items() if value not in (None, "")}, zone)
