"""The books under faults, in short: real calls while service, AMI link, database and Asterisk fail.

The long form is ``make bench NAME=faults``; both play plans drawn from a seed and take the truth from SIPp alone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from bench.faults.ground import Ground
from bench.faults.plan import QUICK, Kind, draw
from bench.faults.report import differences
from bench.faults.run import perform
from tests.support_centre import ASTERISK_DIR, own_worker

_SEED = 7
_CLOCK_LIMIT_MS = 3000
"""Other tests share the machine; how exact the clocks are is measured by the long form."""


@pytest.mark.asyncio(loop_scope="session")
async def test_every_call_is_in_the_books_once_whatever_fails() -> None:
    """Nothing lost, nothing double, K1 and K2 as SIPp has them (K1, K2, K5)."""
    worker = own_worker()
    var_dir = Path(tempfile.gettempdir()) / f"sansheng-faults-{os.getpid()}"
    plan = draw(_SEED, QUICK)
    try:
        run = await perform(
            plan, Ground(var_dir, ASTERISK_DIR, f"127.0.{40 + worker}", 23000 + 1000 * worker), _CLOCK_LIMIT_MS
        )
        assert {fault.kind for _, fault in run.faults} == set(Kind)
        assert len(run.truth) == QUICK.calls
        assert not (found := list(differences(run))), "\n".join(found)
    finally:
        if not os.environ.get("SANSHENG_TEST_KEEP"):
            shutil.rmtree(var_dir, ignore_errors=True)
