"""``python -m bench.faults``: see bench/README.md. ``QUICK=1`` is the short form, ``SEED=`` chooses the plan."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import sys
from pathlib import Path

from bench.faults.ground import Ground
from bench.faults.plan import LONG, QUICK, draw
from bench.faults.report import report
from bench.faults.run import perform
from calls.errors import SanshengError
from service.priority import AHEAD, set_priority
from service.settings import ROOT, load_settings

CLOCK_LIMIT_MS = 50.0
_SEED = 2035


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.faults", description="Proof under faults, on real calls.")
    parser.add_argument("--config", type=Path, help="settings file: var_dir, asterisk_dir")
    parser.add_argument("--hosts", default="127.0.50", help="first three numbers of the addresses on loopback")
    parser.add_argument("--first-port", type=int, default=31000, help="the first of 1,000 ports")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)  # what fails is told below; processes come and go as planned
    seed = int(os.environ.get("SEED") or _SEED)
    plan = draw(seed, QUICK if os.environ.get("QUICK") == "1" else LONG)
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    if not set_priority(os.getpid(), AHEAD):
        _say("at the mercy of the machine's other programs: no right to a higher priority")
    _say(f"bench/faults ({plan.scale.label}), seed {seed}, {machine}")
    try:
        base = load_settings(options.config) if options.config else None
        var_dir = (base.var_dir if base else ROOT / "var") / "faults"
        asterisk_dir = base.asterisk_dir if base else ROOT / "var" / "asterisk"
        shutil.rmtree(var_dir, ignore_errors=True)
        ground = Ground(var_dir, asterisk_dir, options.hosts, options.first_port)
        run = asyncio.run(perform(plan, ground, CLOCK_LIMIT_MS, tell=_say, ahead=True))
    except (SanshengError, OSError) as error:
        print(f"bench/faults could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    for line in report(run):
        _say(line)
    _say("")
    found = run.comparison
    if not found.sound:
        print("bench/faults: the books differ from what SIPp saw; see above", file=sys.stderr)
        return 1
    _say(
        f"RESULT name=faults calls={found.calls} lost={len(found.lost)} double={len(found.double)} "
        f"max_clock_error_ms={found.clocks.worst_ms:.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
