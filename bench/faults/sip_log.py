"""SIPp's log of messages (``-trace_msg``) as typed values: the record of what was really said on the wire."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

_HEAD = re.compile(
    r"^-{40,} (?P<at>\d{4}-\d\d-\d\d[ \tT]\d\d:\d\d:\d\d\.\d+)\S*\n"
    r"\S+ message (?P<way>sent|received) [^\n]*\n\n",
    re.MULTILINE,
)
_RESPONSE = re.compile(r"SIP/2\.0 (\d{3})")
_USER = re.compile(r"<?sips?:([^@>;\s]*)@")


@dataclass(frozen=True, slots=True)
class Message:
    """One SIP message as SIPp saw it pass. ``method`` of a response is that of its request."""

    at: datetime
    sent: bool
    call_id: str
    method: str
    status: int | None
    """Of a response; ``None`` for a request."""
    from_user: str


def read_dialogs(path: Path) -> dict[str, list[Message]]:
    """The messages of a log by their Call-ID, in order. SIPp must have run in UTC. Nothing if there is no log."""
    found: dict[str, list[Message]] = defaultdict(list)
    for message in _messages(path.read_text("utf-8", "replace") if path.exists() else ""):
        found[message.call_id].append(message)
    return dict(found)


def _messages(text: str) -> Iterator[Message]:
    heads = list(_HEAD.finditer(text))
    for head, after in zip_longest(heads, heads[1:]):
        end = after.start() if after else len(text)
        first, *lines = text[head.end() : end].splitlines()
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        response = _RESPONSE.match(first)
        user = _USER.search(headers.get("from", ""))
        yield Message(
            at=datetime.fromisoformat(re.sub(r"[\tT]", " ", head["at"])).replace(tzinfo=UTC),
            sent=head["way"] == "sent",
            call_id=headers.get("call-id", ""),
            method=headers.get("cseq", "").partition(" ")[2] if response else first.partition(" ")[0],
            status=int(response[1]) if response else None,
            from_user=user[1] if user else "",
        )
