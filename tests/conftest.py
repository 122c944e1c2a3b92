"""For all tests."""

from __future__ import annotations

import os
from functools import partial

from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from console import passwords

# Whisper's threads give the processor back while they wait; before anything loads OpenMP. With several workers of
# pytest on few processors a sentence otherwise takes minutes instead of seconds.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Slow examples on a loaded machine are no failure: what is fast enough is measured in bench/. The same examples
# every time, so that a red run is the change's own; ``--hypothesis-profile=explore`` looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("sansheng", settings.get_profile("explore"), derandomize=True)
settings.load_profile("sansheng")

# What a password costs is decided where it is hashed in service; hundreds of tests only need some hash.
passwords.PasswordHasher = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[misc]
