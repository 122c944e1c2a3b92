"""Why a component was out, in the reader's language.

The books keep what the probe said, in English, with whatever the system added; what is known of it is told in
words, and the rest is left to whoever looks it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from console.texts import Texts

_SAID: Mapping[str, str] = MappingProxyType(
    {
        "the service was not running": "not_running",
        "the service stood still": "stood_still",
        "no worker transcribes": "no_worker",
        "what answers does not speak SIP": "no_sip",
        "nobody listens": "nobody_listens",
        "the connection was closed without a command": "menu_silent",
        "the session went on": "menu_endless",
        "events cannot be stored": "not_stored",
        "of the disk is free": "disk_full",
        "it answers": "answers_wrong",
        "synthetic call: no_answer": "synthetic_no_answer",
        "synthetic call: wrong_prompt": "synthetic_wrong_prompt",
        "synthetic call: wrong_section": "synthetic_wrong_section",
        "TimeoutError": "timed_out",
        "ConnectionRefusedError": "nobody_listens",
        "StorageUnavailable": "database_away",
        "OperationalError": "database_away",
    }
)
"""What stands in a reason, and the message that says so; the first that fits."""


def told(reason: str, texts: Texts) -> str:
    """The reason in the reader's words; as the probe said it, if it said something unknown."""
    key = next((key for said, key in _SAID.items() if said in reason), None)
    return texts(f"outage_reason.{key}") if key else reason
