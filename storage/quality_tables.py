"""Tables: sampling, forms, scores, calibration, appeals, coaching (Q1-Q5)."""

from __future__ import annotations
