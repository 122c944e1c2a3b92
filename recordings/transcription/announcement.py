"""Our own announcement in an agent's leg: it says section and agent's number (A2), and is not the agent.

It must not be fed to a recogniser, which would adapt to its voice and then mishear the agent's: measured, a
sentence that was recognised word for word came out without one right word behind the announcement. We know how it
sounds, so it is found by correlation. All of it: a section's name that was left in, two syllables, did that, too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calls.ports import Pcm
from calls.transcript import Span
from recordings.transcription.audio import samples_of

_WITHIN_S = 30.0
_JOINED_S = 0.5
"""Two prompts that are played one after the other have no longer pause between them, nor do they overlap more:
a recorder may leave out some packets of the silence at a prompt's end."""
_ALIKE = 0.7
"""Correlation from which on it is the same sound; other speech stays below 0.3."""


def announced(pcm: Pcm, first: Pcm, last: Pcm, section: Pcm | None = None) -> Span | None:
    """Where the announcement lies that begins with the sound ``first`` and ends with ``last``; ``None``: nowhere.

    ``section``: a sound that may come right before the first and is then part of it. All at the same rate. Only
    the first half minute is looked through.
    """
    sound = samples_of(pcm)[: int(_WITHIN_S * pcm.rate_hz)].astype(np.float64)
    begins, ends = _place(sound, first), _place(sound, last)
    if begins is None or ends is None or ends < begins:
        return None
    start_s, end_s = begins / pcm.rate_hz, ends / pcm.rate_hz + last.duration_s
    before = _place(sound, section) if section else None
    if section and start_s < section.duration_s:
        start_s = 0.0  # the recorder came while the section was being said
    elif section and before is not None:
        gap_s = start_s - before / pcm.rate_hz - section.duration_s
        if abs(gap_s) <= _JOINED_S:
            start_s = before / pcm.rate_hz
    return Span(start_s, min(end_s, pcm.duration_s))


def _place(sound: npt.NDArray[np.float64], wanted: Pcm) -> int | None:
    """The sample at which the wanted sound begins."""
    pattern = samples_of(wanted).astype(np.float64)
    if not 0 < pattern.size <= sound.size:
        return None
    size = 1 << int(np.ceil(np.log2(sound.size + pattern.size)))
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pattern, size)), size)
    energy = np.concatenate(([0.0], np.cumsum(sound**2)))
    last = sound.size - pattern.size + 1
    around = np.sqrt((energy[pattern.size :] - energy[:last]) * (pattern**2).sum())
    alike = product[:last] / np.maximum(around, 1.0)
    best = int(np.argmax(alike))
    return best if alike[best] >= _ALIKE else None
