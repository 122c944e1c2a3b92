"""Events as rows: what goes in comes out, whatever the kind, and what cannot is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import StorageRefused
from calls.events import AnyEvent, CallArrived, RecordingArrived
from calls.ids import CallId
from storage.codec import event_of, event_row
from tests.support_ledger import CALLER, NOON, recording

KINDS: tuple[type[AnyEvent], ...] = get_args(AnyEvent)
for _type, _values in {
    str: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
}.items():
    st.register_type_strategy(_type, _values)
EVENTS = st.one_of([st.builds(kind) for kind in KINDS])
ARRIVED = CallArrived(call_id=CallId("1.1"), at=NOON, trunk="trunk", caller=CALLER)


def stored(event: AnyEvent) -> dict[str, Any]:
    """The row, its data having been through JSON as in a database."""
    row = event_row(event)
    return {**row, "data": json.loads(json.dumps(row["data"], allow_nan=False))}


def restored(row: dict[str, Any]) -> AnyEvent:
    return event_of(row["kind"], row["call_id"], row["at"], row["data"], row["source"])


@given(EVENTS)
def test_every_event_comes_back_as_it_was(event: AnyEvent) -> None:
    row = stored(event)
    again = restored(row)
    assert again == event
    assert again.source is event.source
    assert row["key"] == again.key == event.key
    assert [type(getattr(again, name)) for name in row["data"]] == [
        type(getattr(event, name)) for name in row["data"]
    ]


def test_no_two_kinds_share_a_name() -> None:
    assert len({kind.kind for kind in KINDS}) == len(KINDS)


def test_a_row_holds_common_fields_in_columns_and_the_rest_as_data() -> None:
    assert event_row(ARRIVED) == {
        "key": "1.1/arrived/",
        "call_id": "1.1",
        "kind": "arrived",
        "at": NOON,
        "data": {"trunk": "trunk", "caller": CALLER},
        "source": "service",
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "teleported"}, "teleported"),
        ({"data": {"trunk": "t"}}, "arrived"),
        ({"kind": "ended", "data": {"by": "nobody"}}, "ended"),
        ({"source": "hearsay"}, "arrived"),
        ({"kind": "recording", "data": {"duration_s": None, "sample_rate_hz": 1, "complete": True}}, "recording"),
    ],
    ids=["unknown kind", "field missing", "unknown value", "unknown source", "wrong type"],
)
def test_a_row_that_this_version_cannot_read_is_a_clear_error(change: dict[str, Any], named: str) -> None:
    with pytest.raises(StorageRefused, match=named):
        restored({**event_row(ARRIVED), **change})


@pytest.mark.parametrize(
    "event",
    [
        replace(ARRIVED, caller=f"{CALLER}\0"),
        replace(ARRIVED, caller=f"{CALLER}\udcff"),
        replace(ARRIVED, call_id=CallId(f"{CALLER}\0")),
        replace(ARRIVED, at=NOON.replace(tzinfo=None)),
        replace(recording(CallId("1.1"), NOON), duration_s=float("nan")),
    ],
    ids=["nul", "surrogate", "nul in the id", "no time zone", "not a number"],
)
def test_what_a_database_cannot_hold_is_refused_without_naming_it(
    event: CallArrived | RecordingArrived,
) -> None:
    with pytest.raises(StorageRefused) as refusal:
        event_row(event)
    assert CALLER not in str(refusal.value)
