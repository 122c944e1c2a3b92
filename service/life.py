"""The last sign of life of an Asterisk that is gone: when calls ended that nobody saw end.

Kept on disk, so that whoever asks twice, before and after a restart of the service, gets the same answer.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_right, insort
from datetime import UTC, datetime, timedelta
from pathlib import Path

log = logging.getLogger(__name__)

_KEEP = 2000
"""Signs remembered in memory."""
_APART = timedelta(milliseconds=200)
"""Signs that are nearer to each other are one, the later."""


class Life:
    """Signs of life of one Asterisk: records that it wrote, the link to it while that was up, and its last moment.

    ``path`` is ours; ``ends`` gets a line, seconds since 1970, from whoever started Asterisk and saw it end.
    """

    def __init__(self, path: Path, ends: Path) -> None:
        self._path = path
        self._ends = ends
        self._signs: list[datetime] = _stored(path)
        self._stored: datetime | None = None
        self._seen_ends: list[datetime] = []

    def sign(self, at: datetime) -> None:
        """Asterisk lived at this moment."""
        place = bisect_right(self._signs, at)
        if place and at - self._signs[place - 1] < _APART and place == len(self._signs):
            self._signs[-1] = at
            return
        insort(self._signs, at)
        del self._signs[:-_KEEP]

    def store(self) -> None:
        """Write the last sign down. Blocks; a disk that fails is logged and costs only exactness."""
        if not self._signs or self._signs[-1] == self._stored:
            return
        fresh = self._path.with_name(f".{self._path.name}")
        try:
            fresh.write_text(json.dumps({"at": self._signs[-1].isoformat()}), encoding="utf-8")
            fresh.replace(self._path)
            self._stored = self._signs[-1]
        except OSError as error:
            log.warning("life.not_stored", extra={"reason": str(error)})

    def look(self) -> None:
        """Learn when Asterisk ended, if somebody saw it. Blocks."""
        try:
            lines = self._ends.read_text(encoding="utf-8").split()
            self._seen_ends = [datetime.fromtimestamp(float(line), UTC) for line in lines]
        except FileNotFoundError:
            return
        except (OSError, ValueError, OverflowError) as error:
            log.warning("life.damaged", extra={"reason": str(error)})

    def end_of(self, seen: datetime, started: datetime) -> datetime | None:
        """When the Asterisk that lived at ``seen`` ended, given that another was started at ``started``.

        The end that was seen, if any was; else the last sign of life. ``None`` if there is neither.
        """
        for end in self._seen_ends:
            if seen <= end <= started:
                return end
        last = self._last_before(started)
        return last if last and last >= seen else None

    def _last_before(self, moment: datetime) -> datetime | None:
        place = bisect_right(self._signs, moment)
        return self._signs[place - 1] if place else None


def _stored(path: Path) -> list[datetime]:
    try:
        at = datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["at"])
        return [at.astimezone(UTC)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("life.damaged", extra={"reason": str(error)})
        return []
