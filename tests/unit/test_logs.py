"""Logs: one JSON object a line, whatever is in it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.logs import JsonLines, log_to_stderr


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    made = logging.getLogger("tests.logs")
    made.propagate = False
    made.setLevel(logging.DEBUG)
    yield made
    made.handlers = []


@pytest.fixture
def lines(log: logging.Logger) -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    return stream


def written(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_says_when_how_bad_what_and_about_which_call(log: logging.Logger, lines: io.StringIO) -> None:
    log.warning("call.end_unseen", extra={"call_id": "hotline-1.1", "seconds": 2.5})
    (line,) = written(lines)
    assert list(line) == ["at", "level", "event", "call_id", "seconds"]
    assert (line["level"], line["event"], line["call_id"]) == ("warning", "call.end_unseen", "hotline-1.1")
    assert datetime.fromisoformat(str(line["at"])).utcoffset() == timedelta(0)


def test_whatever_is_given_stays_one_line_of_json(log: logging.Logger, lines: io.StringIO) -> None:
    log.error("garbage", extra={"reason": 'a\nb"c\u2028三', "path": Path("/x"), "kinds": {1, 2}, "whole": b"\n"})
    assert lines.getvalue().count("\n") == 1
    (line,) = [json.loads(text) for text in lines.getvalue().split("\n")[:-1]]
    assert (line["reason"], line["path"]) == ('a\nb"c\u2028三', "/x")


def test_nothing_hides_the_event(log: logging.Logger, lines: io.StringIO) -> None:
    log.error("ledger.refused", extra={"event": "1.1/arrived/", "level": "none", "at": "never", "key": "kept"})
    (line,) = written(lines)
    assert (line["event"], line["level"], line["key"]) == ("ledger.refused", "error", "kept")
    assert line["at"] != "never"


def test_an_error_brings_its_trace(log: logging.Logger, lines: io.StringIO) -> None:
    try:
        raise ValueError("inner")
    except ValueError:
        log.exception("ami.failed")
    (line,) = written(lines)
    assert "ValueError: inner" in str(line["trace"])


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    made = logging.getLogger()
    handlers, level = made.handlers[:], made.level
    yield made
    made.handlers, made.level = handlers, level


def test_ours_are_told_and_of_libraries_only_warnings(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log_to_stderr()
    log_to_stderr()  # again adds no second line
    logging.getLogger("ivr.ami.link").info("link.up")
    logging.getLogger("ivr.ami.link").debug("link.detail")
    logging.getLogger("panoramisk.manager").info("caller 13800138000")
    logging.getLogger("sqlalchemy.engine").info("INSERT 13800138000")
    logging.getLogger("sqlalchemy.engine").warning("pool")
    assert [line["event"] for line in written(stream)] == ["link.up", "pool"]
    assert "13800138000" not in stream.getvalue()
