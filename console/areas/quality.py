"""The areas of the quality work, together."""

from __future__ import annotations

from console.areas.appeals import Appeals
from console.areas.calibration import Calibration
from console.areas.coaching import Coaching
from console.areas.findings import Findings
from console.areas.forms import Forms
from console.areas.results import Results
from console.areas.sampling import Sampling
from console.areas.scoring import Scoring
from console.parts import Parts
from console.routes import Area


def quality_areas(parts: Parts) -> list[Area]:
    """Samples, sheets, appeals, forms, calibration, coaching, results, immediate findings."""
    return [
        Sampling(parts),
        Scoring(parts),
        Appeals(parts),
        Forms(parts),
        Calibration(parts),
        Coaching(parts),
        Results(parts),
        Findings(parts),
    ]
