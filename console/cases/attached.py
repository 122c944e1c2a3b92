"""The files of a matter as its page shows them (C3)."""

from __future__ import annotations

from typing import Any

from calls.attachments import LARGEST
from calls.cases import CaseNumber
from calls.people import Right
from console.ask import Ask
from console.parts import Parts

KINDS = {
    "application/pdf": "pdf",
    "text/plain": "text",
}
"""Beside pictures and sound: what a kind of file is called below ``case_files_kind``."""


async def attached(parts: Parts, ask: Ask, number: CaseNumber) -> dict[str, Any]:
    """What ``cases/attached.html.j2`` needs. Whoever asks has noted that the matter is read."""
    return {
        "files": [
            (file, ask.texts(f"case_files_kind.{_kind(file.content_type)}"))
            for file in await parts.attachments.of_case(number)
        ],
        "may_add": ask.who.may(Right.FILE_CASES) or ask.who.may(Right.WORK_CASES),
        "largest_mb": LARGEST >> 20,
    }


def _kind(content_type: str) -> str:
    family = content_type.partition("/")[0]
    if family in ("image", "audio"):
        return family
    return KINDS.get(content_type, "document")
