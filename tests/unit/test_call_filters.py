"""Filters as addresses carry them: what cannot be read leaves nothing out, and is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.call import Result
from calls.figures import Figure, Unit
from calls.lists import CallFilter, Counted
from calls.measures import Slice
from calls.people import Grant, Person, Role
from calls.periods import Period
from calls.verdicts import Outcome
from console.call_filters import CASES_BEHIND, FIELDS, asked, behind_figure, figure_asked
from metrics.kpi.catalogue import Catalogue, kpi

ZONE = ZoneInfo("Asia/Shanghai")
CATALOGUE = Catalogue(15.0)
CHIEF = Person("chief", "Chief", (Grant(Role.SUPERVISOR),))
OPS = Person("ops", "Ops", (Grant(Role.OPS),))
MONITOR = Person("monitor", "Monitor", (Grant(Role.MONITOR),))


def test_an_empty_address_leaves_nothing_out() -> None:
    assert asked({}, ZONE, CATALOGUE).calls == CallFilter()


def test_days_are_the_operators_and_the_last_one_is_included() -> None:
    found = asked({"from": "2026-11-22", "to": "2026-11-22"}, ZONE, CATALOGUE).calls
    assert found.since == datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert found.until == datetime(2026, 11, 22, 16, tzinfo=UTC)


def test_every_field_is_read() -> None:
    given_ = {
        "section": "inquiry",
        "agent": "8001",
        "language": "en",
        "trunk": "city",
        "result": "answered",
        "rule": "greeting",
        "outcome": "broken",
        "talk_least": "10",
        "talk_most": "99.5",
        "waited_least": "3",
        "recorded": "0",
        "rating": "dissatisfied",
        "repeated": "1",
        "same_caller_as": "1.1",
        "unknown": "x",
    }
    found = asked(given_, ZONE, CATALOGUE)
    assert found.calls.result is Result.ANSWERED
    assert found.calls.outcome is Outcome.BROKEN
    assert (found.calls.talk_least_s, found.calls.talk_most_s, found.calls.waited_least_s) == (10, 99.5, 3)
    assert (found.calls.recorded, found.calls.repeated, found.calls.same_caller_as) == (False, True, "1.1")
    assert found.wrong == ()
    assert set(found.values) == set(given_) - {"unknown"}
    assert asked(dict(found.values), ZONE, CATALOGUE) == found


@pytest.mark.parametrize(
    "name, value",
    [
        ("from", "yesterday"),
        ("to", "9999-12-31"),
        ("from", "0001-01-01"),
        ("result", "won"),
        ("talk_least", "nan"),
        ("talk_most", "-1"),
        ("waited_least", "1e99"),
        ("same_caller_as", "../../etc"),
        ("section", "in\0quiry"),
        ("period", "2026-13"),
        ("version", "two"),
    ],
)
def test_what_cannot_be_read_is_named_and_leaves_nothing_out(name: str, value: str) -> None:
    found = asked({name: value}, ZONE, CATALOGUE)
    assert name in found.wrong
    assert found.calls == CallFilter()
    assert found.values == {}


def test_an_unknown_indicator_is_named() -> None:
    assert "kpi" in asked({"kpi": "K99"}, ZONE, CATALOGUE).wrong


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60)))
def test_nothing_that_an_address_holds_breaks_the_reader(given_: dict[str, str]) -> None:
    found = asked(given_, ZONE, CATALOGUE)
    assert asked(dict(found.values), ZONE, CATALOGUE).calls == found.calls


def test_the_address_of_a_figure_lists_the_calls_that_it_counts() -> None:
    period = Period.parse("2026-11", ZONE)
    figure = Figure(
        "K2", 1, period, Slice(section="inquiry"), 3, 4, Unit.RATIO, datetime.now(UTC), provisional=False
    )
    address = behind_figure(figure, kpi("K2", 1), "numerator", CHIEF)
    assert address is not None
    path, _, query = address.partition("?")
    found = asked(dict(pair.split("=") for pair in query.split("&")), ZONE, CATALOGUE)
    assert path == "/calls"
    assert found.calls.counted == Counted("within", 15.0)
    assert (found.calls.since, found.calls.until) == period.span
    assert found.calls.section == "inquiry"
    assert behind_figure(figure, kpi("K5"), "numerator", CHIEF) is None


def test_the_address_of_a_figure_of_cases_lists_them_for_who_must_trust_it() -> None:
    period, part = Period.parse("2026-11", ZONE), Slice(section="ticketing", language="en")
    figure = Figure("K7t", 1, period, part, 3, 4, Unit.RATIO, datetime.now(UTC), provisional=False)
    address = behind_figure(figure, kpi("K7t"), "denominator", CHIEF) or ""
    path, _, query = address.partition("?")
    found = figure_asked(dict(pair.split("=") for pair in query.split("&")), ZONE, CATALOGUE)
    assert path == CASES_BEHIND
    assert found is not None
    assert (found.counted, found.period, found.slice) == (Counted("steps_due"), period, part)
    assert behind_figure(figure, kpi("K7t"), "denominator", MONITOR) == address
    assert behind_figure(figure, kpi("K7t"), "denominator", OPS) is None
    assert figure_asked({"kpi": "K7t", "period": "never"}, ZONE, CATALOGUE) is None


def test_the_longest_wait_opens_to_the_call_that_waited() -> None:
    period = Period.parse("2026-11", ZONE)
    figure = Figure("LW", 1, period, Slice(), 12.3456, 1, Unit.SECONDS, datetime.now(UTC), provisional=False)
    address = behind_figure(figure, kpi("LW"), "numerator", CHIEF) or ""
    waited = float(address.rpartition("waited_least=")[2])
    assert waited <= figure.numerator < waited + timedelta(milliseconds=2).total_seconds()
