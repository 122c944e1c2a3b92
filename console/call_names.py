"""What calls are called on pages: the time of their arrival and their section, not their ids."""

from __future__ import annotations

from collections.abc import Iterable

from calls.ids import CallId, SectionId
from console.parts import Parts
from console.shown import moment
from console.texts import Texts
from storage.call_lists import SqlCallLists


async def call_names(parts: Parts, texts: Texts, ids: Iterable[CallId | None]) -> dict[CallId, str]:
    """The names of these calls; what is on no list of calls has none. Raises StorageUnavailable."""
    found = await SqlCallLists(parts.engine).named({call_id for call_id in ids if call_id})
    names = {}
    for call_id, call in found.items():
        section = parts.sections.get(SectionId(call.section or ""), {}).get(texts.language, call.section or "")
        names[call_id] = f"{moment(call.arrived_at, parts.zone)} {section}".rstrip()
    return names
