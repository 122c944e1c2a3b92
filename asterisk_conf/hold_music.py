"""The music on hold: made here, so that it is ours.

Soft plucked notes of a pentatonic scale (Karplus-Strong strings) over a slow bass, at telephone-friendly
pitches, as a loop of about 40 seconds.
"""

from __future__ import annotations

import random
import wave
from array import array
from pathlib import Path

RATE_HZ = 16_000
_BEAT_S = 0.5
_PEAK = 0.25
_MELODY = (
    "G4 A4 C5 D5 C5 A4 G4 -  E4 G4 A4 C5 A4 G4 E4 -  D4 E4 G4 A4 G4 E4 D4 -  E4 G4 E4 D4 C4 -  C4 - "
    "C5 D5 E5 -  D5 C5 A4 -  G4 A4 C5 A4 G4 -  E4 -  A4 C5 D5 C5 A4 G4 E4 D4 G4 -  E4 D4 C4 -  -  - "
).split()
_BASS = "C3 - - - A3 - - - G3 - - - C3 - - - ".split()
_SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}


def compose_hold_music(path: Path) -> None:
    """Write the loop to ``path`` (16 kHz, 16 bit, mono) unless it is there."""
    if path.exists():
        return
    beats = len(_MELODY)
    mix = [0.0] * int((beats + 4) * _BEAT_S * RATE_HZ)
    chance = random.Random(3)  # noqa: S311 - the same music every time
    for voice, loudness, ring_s in ((_MELODY, 1.0, 2.0), (_BASS * (beats // len(_BASS)), 0.6, 3.0)):
        for beat, note in enumerate(voice):
            if note != "-":
                _pluck(mix, int(beat * _BEAT_S * RATE_HZ), _pitch_hz(note), loudness, ring_s, chance)
    peak = max(abs(sample) for sample in mix)
    samples = array("h", (round(sample / peak * _PEAK * 32767) for sample in mix))
    fresh = path.with_name(f".{path.name}")
    with wave.open(str(fresh), "wb") as audio:
        audio.setparams((1, 2, RATE_HZ, len(samples), "NONE", ""))
        audio.writeframes(samples.tobytes())
    fresh.replace(path)


def _pitch_hz(note: str) -> float:
    semitones = _SEMITONES[note[0]] + 12 * (int(note[1]) - 4)
    return 440.0 * float(2 ** (semitones / 12))


def _pluck(
    mix: list[float], start: int, pitch_hz: float, loudness: float, ring_s: float, chance: random.Random
) -> None:
    """Add one string to the mix: noise that runs round a delay line and loses its edge."""
    length = int(RATE_HZ / pitch_hz)
    string = [chance.uniform(-1, 1) for _ in range(length)]
    for _ in range(3):  # a soft finger
        string = [(string[i - 1] + string[i]) / 2 for i in range(length)]
    for step in range(min(int(ring_s * RATE_HZ), len(mix) - start)):
        here = step % length
        mix[start + step] += string[here] * loudness
        string[here] = 0.996 * (string[here] + string[(here + 1) % length]) / 2
