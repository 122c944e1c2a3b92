"""Structured logs: one JSON object a line, with a stable event name and the call id, never a caller's number."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonLines(logging.Formatter):
    """Writes what a record was given as ``extra`` beside time, level and event."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        given = {key: value for key, value in vars(record).items() if key not in _STANDARD and key != "message"}
        line = line | given | line  # a field of the same name must not hide the event's
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send our logs, and warnings of the libraries, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Libraries log what they were given; some of that is a caller's.
    for name in ("panoramisk", "sqlalchemy", "aiosqlite", "alembic", "asyncio", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)
