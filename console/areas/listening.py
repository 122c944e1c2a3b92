"""The areas about calls, which share who may hear which original."""

from __future__ import annotations

from console.areas.calls import CallsArea
from console.areas.figures import FiguresArea
from console.areas.search import SearchArea
from console.areas.sound import SoundArea
from console.originals import Originals
from console.parts import Parts
from console.routes import Area


def listening_areas(parts: Parts) -> list[Area]:
    """Lists, calls, sound, search, figures."""
    originals = Originals(parts.clock)
    return [CallsArea(parts, originals), SoundArea(parts, originals), SearchArea(parts), FiguresArea(parts)]
