"""From single probes to outages: when one begins and ends, and what waits while the database is away (K5)."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from calls.outages import Component, Outage

log = logging.getLogger(__name__)


class Told(StrEnum):
    """What kind of fact it is."""

    WATCHED = "watched"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something for the outage book (``calls.ports.OutageBook``)."""

    told: Told
    at: datetime
    component: Component | None = None
    reason: str = ""

    def line(self) -> str:
        return json.dumps([self.told, self.at.isoformat(), self.component, self.reason])

    @classmethod
    def of_line(cls, line: str) -> Fact:
        """Raises ValueError for what ``line`` did not write whole."""
        told, at, component, reason = json.loads(line)
        return cls(
            Told(told), datetime.fromisoformat(at), Component(component) if component else None, str(reason)
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on two clocks."""

    wall: datetime
    """For the record; it may be set, forward or back."""
    steady_s: float
    """For how long something lasted; it never is."""


@dataclass(slots=True)
class _State:
    failures: int = 0
    began: Moment | None = None
    """Of the first failure in a row, or of the outage."""
    out: bool = False
    working: bool | None = None
    """What the last verdict was; ``None`` before the first."""


class Watch:
    """The components, each with its failures in a row. Tells facts to ``tell``.

    An outage opens when ``failures`` probes in a row have failed, as of the first of them, and closes with the
    first success. How long it lasted is taken from the steady clock: it ends that long after it began, whatever
    the wall clock was set to in between, and never before.
    """

    def __init__(self, components: Iterable[Component], failures: int, tell: Callable[[Fact], None]) -> None:
        self._failures = failures
        self._tell = tell
        self._states = {component: _State() for component in components}

    def resume(self, outages: Iterable[Outage], now: Moment) -> None:
        """Go on with outages that had no end when the service stopped. Their beginning is all that is known."""
        for outage in outages:
            state = self._states.get(outage.component)
            if state is not None and outage.ended_at is None:
                since_s = max((now.wall - outage.began_at) / timedelta(seconds=1), 0.0)
                state.began, state.out = Moment(outage.began_at, now.steady_s - since_s), True

    def working(self, component: Component) -> bool | None:
        """Whether it works, hysteresis included; ``None`` while nobody knows, or nobody looks."""
        state = self._states.get(component)
        if state is None:
            return None
        return False if state.out else state.working

    @property
    def out(self) -> dict[Component, Moment]:
        """What is out now, and since when."""
        return {component: state.began for component, state in self._states.items() if state.out and state.began}

    def succeeded(self, component: Component, at: Moment) -> None:
        """A probe has found it working."""
        state = self._states[component]
        if state.out and state.began:
            lasted = timedelta(seconds=max(at.steady_s - state.began.steady_s, 0.0))
            self._tell(Fact(Told.CLOSED, state.began.wall + lasted, component))
            log.info("outage.closed", extra={"component": component, "lasted_s": round(lasted.total_seconds(), 1)})
        self._states[component] = _State(working=True)

    def failed(self, component: Component, began: Moment, reason: str) -> None:
        """A probe that began then has found it not working."""
        state = self._states[component]
        state.failures += 1
        state.began = state.began or began
        if state.failures >= self._failures:
            self._open(component, reason)

    def was_out(self, component: Component, since: Moment, reason: str) -> None:
        """It is known to have been out since then; the next success ends it."""
        state = self._states[component]
        if not state.out:
            state.began = since
            self._open(component, reason)

    def _open(self, component: Component, reason: str) -> None:
        state = self._states[component]
        if state.out or state.began is None:
            return
        state.out = True
        self._tell(Fact(Told.OPENED, state.began.wall, component, reason))
        log.error("outage.opened", extra={"component": component, "reason": reason})


class Journal:
    """Facts that are not in the database yet, on disk: append-only, each flushed to the disk before it counts.

    A disk that does not take them is no reason to forget them: they then wait in memory, as long as that lasts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.waiting: list[Fact] = list(_facts(path))
        """In the order in which they were told."""
        if self.waiting:
            self.stored(0)  # afresh: behind half a line nothing could be written

    def add(self, fact: Fact) -> None:
        """Keep a fact until it is ``stored``."""
        self.waiting.append(fact)
        try:
            fresh = not self._path.exists()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(fact.line() + "\n")
                file.flush()
                os.fsync(file.fileno())
            if fresh:
                _flush_folder(self._path.parent)
        except OSError as error:
            log.error("outage.journal_unwritable", extra={"reason": str(error)})

    def stored(self, count: int) -> None:
        """The first ``count`` facts are in the database."""
        del self.waiting[:count]
        try:
            fresh = self._path.with_name(f".{self._path.name}")
            with fresh.open("w", encoding="utf-8") as file:
                file.writelines(fact.line() + "\n" for fact in self.waiting)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            # Told again after the next start: the book takes every fact once.
            log.error("outage.journal_unwritable", extra={"reason": str(error)})


def _facts(path: Path) -> Iterable[Fact]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield Fact.of_line(line)
        except (ValueError, TypeError):
            # The last line, half-written when the power failed; or damage, which must not hide what follows.
            log.error("outage.journal_line_unreadable", extra={"characters": len(line)})


def _flush_folder(folder: Path) -> None:
    """Make a file's name as durable as what is in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
