"""Events that wait on disk: in order, none lost at whatever byte the writing stops, never more than allowed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import StorageRefused
from calls.events import AnyEvent, CallArrived
from calls.ids import CallId
from service import spool as module
from service.spool import Spool, SpoolFull
from tests.support_ledger import NOON, story

LIMIT = 1 << 20
EVENTS = [event for number in range(40) for event in story(f"1.{number}", asked=5, ended=9, recorded=True)]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 1000)


def all_of(spool: Spool, at_once: int = 7) -> list[AnyEvent]:
    found = []
    while True:
        events, lines = spool.first(at_once)
        if not lines:
            return found
        found += events
        spool.settle(lines)


def test_events_come_out_in_order_and_leave_nothing_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    for start in range(0, len(EVENTS), 10):
        spool.append(EVENTS[start : start + 10], sync=True)
    assert spool.events == len(EVENTS)
    assert spool.bytes == sum(path.stat().st_size for path in tmp_path.iterdir()) > 1000
    found = all_of(spool)
    assert found == EVENTS
    assert [event.source for event in found] == [event.source for event in EVENTS]
    assert (spool.events, spool.bytes, list(tmp_path.iterdir())) == (0, 0, [])


def test_what_was_not_settled_is_there_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    spool.append(EVENTS, sync=False)  # never closed: as after SIGKILL
    again = Spool(tmp_path, LIMIT)
    assert again.events == len(EVENTS)
    assert all_of(again) == EVENTS


def test_first_does_not_forget(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    spool.append(EVENTS[:5], sync=False)
    assert spool.first(3)[0] == spool.first(3)[0] == EVENTS[:3]
    spool.settle(2)
    spool.append(EVENTS[5:9], sync=False)
    assert all_of(spool) == EVENTS[2:9]


def test_settling_needs_no_reading(tmp_path: Path) -> None:
    """The journal is written, settled, and read only after an end that nobody expected."""
    spool = Spool(tmp_path, LIMIT)
    for event in EVENTS:
        spool.append([event], sync=False)
        spool.settle(1)
    assert (spool.events, spool.bytes, list(tmp_path.iterdir())) == (0, 0, [])


def test_it_takes_no_more_than_its_limit(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2000)
    with pytest.raises(SpoolFull):
        for event in EVENTS:
            spool.append([event], sync=True)
    taken = spool.events
    assert 5 < taken < len(EVENTS)
    assert spool.bytes <= 2000
    spool.settle(taken)
    spool.append(EVENTS[taken : taken + 1], sync=True)
    assert all_of(spool) == EVENTS[taken : taken + 1]


def test_what_no_database_will_take_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    bad = CallArrived(call_id=CallId("9.9"), at=NOON, trunk="t", caller="\0")
    with pytest.raises(StorageRefused):
        spool.append([*EVENTS[:3], bad], sync=True)
    assert (spool.events, spool.bytes) == (0, 0)


@pytest.mark.parametrize("taken", [0, 1, 90, 91])
def test_a_disk_that_is_full_keeps_what_it_has_and_cuts_off_the_rest(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, LIMIT)
    spool.append(EVENTS[:3], sync=True)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:taken]))
    with pytest.raises(OSError, match="part") as failed:
        spool.append(EVENTS[3:6], sync=True)
    assert failed.value.errno == errno.ENOSPC
    monkeypatch.undo()
    spool.append(EVENTS[6:9], sync=True)
    again = Spool(tmp_path, LIMIT)
    assert all_of(again) == EVENTS[:3] + EVENTS[6:9]


def test_a_damaged_line_is_passed_over_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Spool(tmp_path, LIMIT).append(EVENTS[:3], sync=True)
    (segment,) = tmp_path.iterdir()
    lines = segment.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"inquiries", b"inquirieZ")
    segment.write_bytes(b"\n".join(lines))
    assert all_of(Spool(tmp_path, LIMIT)) == [EVENTS[0], EVENTS[2]]
    assert [entry.message for entry in caplog.records] == ["spool.line_damaged"]


@settings(max_examples=100)
@given(cut=st.integers(0, 10**6), before=st.integers(0, 12))
def test_wherever_the_writing_stops_all_whole_lines_are_there(
    tmp_path_factory: pytest.TempPathFactory, cut: int, before: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, LIMIT)
    spool.append(EVENTS[:before], sync=True)
    kept = spool.bytes
    spool.append(EVENTS[before : before + 4], sync=False)
    last = sorted(folder.iterdir())[-1]
    written = spool.bytes - kept
    os.truncate(last, last.stat().st_size - cut % (written + 1))
    again = Spool(folder, LIMIT)
    again.append(EVENTS[-2:], sync=True)
    found = all_of(again)
    assert found[:before] == EVENTS[:before]
    assert found[-2:] == EVENTS[-2:]
    assert found[before:-2] == EVENTS[before : before + len(found) - 2 - before]


@settings(max_examples=60)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["append", "settle", "restart"]), st.integers(1, 30)), max_size=30)
)
def test_a_spool_is_a_queue_that_forgets_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool, told, stored = Spool(folder, LIMIT), 0, 0
    for step, count in steps:
        match step:
            case "append":
                fresh = EVENTS[told : told + count]
                spool.append(fresh, sync=True)
                told += len(fresh)
            case "settle":
                events, lines = spool.first(count)
                # After a restart some come again, but none is skipped.
                assert EVENTS.index(events[0]) <= stored if events else stored == told
                stored = max(stored, EVENTS.index(events[-1]) + 1) if events else stored
                spool.settle(lines)
            case "restart":
                spool = Spool(folder, LIMIT)
    rest = all_of(spool)
    assert rest == EVENTS[told - len(rest) : told]
    assert told - len(rest) <= stored
