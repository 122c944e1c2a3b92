"""The outline of a sound: how loud it is, ten times a second. Nobody can tell a word by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

from calls.transcript import Span

PER_S = 10.0
"""Peaks in a second: less than a syllable of detail."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """One leg's loudest moments, evenly spaced from its beginning."""

    per_s: float
    peaks: bytes
    """One each, from 0 to 255, the loudest that there is."""

    @property
    def duration_s(self) -> float:
        return len(self.peaks) / self.per_s

    def flattened(self, spans: Iterable[Span], height: int = 20) -> Waveform:
        """As it is heard masked: spans that are beeped over are all of one height (P3)."""
        peaks = bytearray(self.peaks)
        for span in spans:
            start, end = floor(max(0.0, span.start_s) * self.per_s), ceil(max(0.0, span.end_s) * self.per_s)
            end = min(end, len(peaks))
            if start < end:
                peaks[start:end] = bytes([height]) * (end - start)
        return Waveform(self.per_s, bytes(peaks))
