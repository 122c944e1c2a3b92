"""Tables: what the console keeps beside calls: waveforms, saved searches."""

from __future__ import annotations
