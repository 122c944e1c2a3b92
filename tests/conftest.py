"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# Slow examples on a loaded machine are no failure: what is fast enough is measured in bench/.
settings.register_profile("sansheng", deadline=None)
settings.load_profile("sansheng")
