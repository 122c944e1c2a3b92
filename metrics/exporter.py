"""The Prometheus exporter: fed with changes of the ledger, live pictures and menu sessions (I2).

Every series of the catalogue exists from the start at 0: ``increase()`` would miss the first event of a
series that appears with it. A scrape reads memory and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Written
from prometheus_client.samples import Sample

from calls.ids import SectionId
from calls.live import AgentState, LinkNow, Picture
from calls.ports import Change
from metrics import catalogue, outcomes
from metrics.catalogue import CATALOGUE, Kind, Metric

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Of what `Exporter.render` returns."""

SAMPLES_AT_MOST = 2000
"""In the whole exposition, with the default sections and roster."""

_Family = Counter | Gauge | Histogram | Info

_SERVING = frozenset({AgentState.READY, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP})

_BREATH_S = 0.0002
_AT_A_BREATH = 16
"""Samples that are written without a rest: about a quarter of a millisecond."""


class Exporter:
    """Holds every metric of the catalogue in a registry of its own.

    `sections` are the configured ones, `limit_s` is A1's limit in seconds, `build` what is running (such as
    version and Asterisk's version). All methods but `render` are quick and belong to the event loop.
    """

    def __init__(
        self,
        *,
        sections: Sequence[SectionId],
        limit_s: float,
        build: Mapping[str, str],
        registry: CollectorRegistry | None = None,
    ) -> None:
        # For the whole process; they would nearly double the number of series, and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry or CollectorRegistry()
        self._limit_s = limit_s
        self._sections = tuple(sections)
        self._pauses = 0
        self._families = {metric: _family(metric, self._registry) for metric in CATALOGUE}
        for metric, family in self._families.items():
            for values in series(metric, sections):
                family.labels(*values)
        self._info(catalogue.BUILD).info(dict(build))
        ProcessCollector(registry=self._registry)
        self.agi = AgiSessions(self)

    async def render(self) -> bytes:
        """All metrics in Prometheus's text format, written in a thread: it takes some 15 µs a sample."""
        return await asyncio.to_thread(generate_latest, _Breathing(self._registry))

    def on_change(self, change: Change) -> None:
        """Count what a change of the ledger made known; events told again add nothing."""
        self.count(catalogue.EVENTS_STORED, by=len(change.events))
        for metric, labels in outcomes.counts(change, self._limit_s):
            self.count(metric, *labels)
        for metric, labels, seconds in outcomes.observations(change):
            self.observe(metric, seconds, *labels)

    def on_picture(self, picture: Picture) -> None:
        """Set the gauges to what is going on now."""
        self._set_tally(catalogue.AGENTS, Tally(agent.state.value for agent in picture.agents))
        self._set_tally(catalogue.IN_STAGE, Tally(call.stage.value for call in picture.calls))
        serving = [agent for agent in picture.agents if agent.state in _SERVING]
        for queue in picture.queues:
            self.set(catalogue.WAITING, queue.waiting, queue.section)
            since = queue.longest_wait_since or picture.at
            self.set(catalogue.LONGEST_WAIT, max((picture.at - since).total_seconds(), 0.0), queue.section)
            here = sum(queue.section in agent.sections for agent in serving)
            self.set(catalogue.SERVING, here, queue.section)
        self.set(catalogue.LINK_UP, picture.link is LinkNow.UP)
        if picture.figures:
            self.set(catalogue.RECORDINGS_MISSING, picture.figures.missing_recordings)

    def on_backlog(self, pending: int, pauses: int) -> None:
        """Tell how many events are not stored yet, and how often reading was paused since the start."""
        self.set(catalogue.EVENTS_PENDING, pending)
        self.count(catalogue.BACKPRESSURE, by=pauses - self._pauses)
        self._pauses = pauses

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Raise a counter of the catalogue."""
        family = self._families[metric]
        assert isinstance(family, Counter)
        (family.labels(*labels) if labels else family).inc(by)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Add an observation to a histogram of the catalogue."""
        family = self._families[metric]
        assert isinstance(family, Histogram)
        (family.labels(*labels) if labels else family).observe(seconds)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge of the catalogue."""
        family = self._families[metric]
        assert isinstance(family, Gauge)
        (family.labels(*labels) if labels else family).set(value)

    def series(self, metric: Metric) -> list[tuple[str, ...]]:
        """The label values of every series of a metric; empty for one without labels."""
        return series(metric, self._sections)

    def total(self, metric: Metric) -> float:
        """A counter of the catalogue, summed over its labels, as a scrape would show it."""
        family = self._families[metric]
        assert isinstance(family, Counter)
        return sum(
            sample.value
            for written in family.collect()
            for sample in written.samples
            if sample.name == metric.name
        )

    def _set_tally(self, metric: Metric, tally: Tally[str]) -> None:
        for value in metric.labels[0].values:
            self.set(metric, tally[value], value)

    def _info(self, metric: Metric) -> Info:
        family = self._families[metric]
        assert isinstance(family, Info)
        return family


class _Breathing:
    """A registry whose families and samples are given out with a rest after every few.

    A thread that computes without a rest keeps the interpreter for 5 ms, each time that the event loop wants it
    back, which is several times in one turn of a menu.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Written]:
        """See prometheus_client.registry.Collector."""
        for family in self._registry.collect():
            time.sleep(_BREATH_S)
            family.samples = _Breaths(family.samples)
            yield family


class _Breaths(list[Sample]):
    """Samples."""

    def __iter__(self) -> Iterator[Sample]:
        for number, sample in enumerate(super().__iter__()):
            if number % _AT_A_BREATH == 0:
                time.sleep(_BREATH_S)
            yield sample


class AgiSessions:
    """Counts menu sessions: what the AGI server calls its observer."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._open = 0

    def connection_refused(self, why: Enum) -> None:
        """A connection ended before it became a session."""
        self._exporter.count(catalogue.AGI_SESSIONS, f"refused_{why.value}")

    def session_started(self) -> None:
        """A caller is in the menu."""
        self._change_open(1)

    def session_ended(self, how: Enum) -> None:
        """A caller has left the menu."""
        self._change_open(-1)
        self._exporter.count(catalogue.AGI_SESSIONS, str(how.value))

    def turn_taken(self, seconds: float) -> None:
        """A command was sent so many seconds after Asterisk's last reply."""
        self._exporter.observe(catalogue.AGI_TURN, seconds)

    def _change_open(self, by: int) -> None:
        self._open += by
        self._exporter.set(catalogue.AGI_OPEN, self._open)


def series(metric: Metric, sections: Sequence[SectionId]) -> list[tuple[str, ...]]:
    """The label values of every series that a metric has; empty for one without labels."""
    if not metric.labels:
        return []
    return list(
        product(*(label.values + (tuple(sections) if label.per_section else ()) for label in metric.labels))
    )


def _family(metric: Metric, registry: CollectorRegistry) -> _Family:
    names = [label.name for label in metric.labels]
    match metric.kind:
        case Kind.COUNTER:
            return Counter(metric.name, metric.help, names, registry=registry)
        case Kind.GAUGE:
            return Gauge(metric.name, metric.help, names, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(metric.name, metric.help, names, registry=registry, buckets=metric.buckets)
        case Kind.INFO:
            return Info(metric.name.removesuffix("_info"), metric.help, names, registry=registry)
