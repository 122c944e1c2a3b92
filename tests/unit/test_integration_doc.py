"""What docs/integration.md tells other systems to write does what it says (I3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from service.settings import ROOT
from service.webhooks import PAUSES, signature

TEXT = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")


def documented() -> Callable[[str, bytes, bytes], bool]:
    """``genuine`` as it stands there."""
    found = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert found
    names: dict[str, Callable[[str, bytes, bytes], bool]] = {}
    exec(found[1], names)
    return names["genuine"]


def test_the_check_of_signatures_takes_ours_and_nothing_else() -> None:
    genuine, secret, body = documented(), b"s" * 32, '{"id": 1, "原因": "x"}'.encode()
    now = int(time.time())
    told = signature(secret, body, now)
    assert genuine(told, body, secret)
    assert not genuine(told, body + b" ", secret)
    assert not genuine(told, body, b"t" * 32)
    assert not genuine(signature(secret, body, now - 301), body, secret), "an old one, played again"
    assert not genuine(told.replace(f"t={now}", f"t={now + 1}"), body, secret), "a moved time"


def test_the_pauses_are_the_documented_ones() -> None:
    seconds = [int(pause.total_seconds()) for pause in PAUSES]
    assert seconds[:5] == [5, 30, 120, 600, 3600]
    assert set(seconds[5:]) == {4 * 3600, 12 * 3600}
    assert 2.5 * 86400 <= sum(seconds) <= 3.5 * 86400, "about three days"
