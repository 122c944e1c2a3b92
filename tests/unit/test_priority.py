"""Who transcribes stands back for those who telephone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from service.priority import LAST

OWN = Path("/proc/self/autogroup")
SHOWS = """
import os
from pathlib import Path
from service.priority import stand_back
stand_back()
print(os.nice(0), Path("/proc/self/autogroup").read_text().split()[-1] if OWN else None)
""".replace("OWN", str(OWN.exists()))


def shown(*, own_session: bool) -> tuple[str, str]:
    """Nice of a process that stood back, and of its session."""
    done = subprocess.run(
        [sys.executable, "-c", SHOWS], start_new_session=own_session, capture_output=True, text=True, check=True
    )
    nice, session = done.stdout.split()
    return nice, session


def test_a_worker_stands_back_with_its_session() -> None:
    assert shown(own_session=True) == (str(LAST), str(LAST) if OWN.exists() else "None")


def test_a_worker_in_somebodys_session_leaves_the_session_alone() -> None:
    before = OWN.read_text().split()[-1] if OWN.exists() else "None"
    assert shown(own_session=False) == (str(max(LAST, os.nice(0))), before)
