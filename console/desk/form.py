"""The wrap-up form as its template needs it: values, choices and what is wrong, in the reader's words."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calls.cases import REGISTER_WITHIN, Channel, ComplaintType, Importance, Series, Urgency, parse_number
from calls.desk import masked
from calls.filing import Notes, NothingReason, Outcome, UnfiledCall
from calls.ids import SectionId
from cases.catalogue import Catalogue
from console.desk.view import View, Wording, instant
from console.desk.wrap_up import KINDS, Problem

_LATE_AFTER = timedelta(minutes=10)
"""So long after its end a call that is not filed is shown as late: "promptly" in A7."""


_PAGES = {Series.COMPLAINT: "/cases", Series.INQUIRY: "/inquiries", Series.WORK_ORDER: "/orders"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a form is painted from."""

    call: UnfiledCall | None
    notes: Notes
    sections: Sequence[SectionId]
    catalogue: Catalogue
    problems: tuple[Problem, ...] = ()
    filed: tuple[str, ...] = ()
    """What the call is filed under already."""


def form(shown: Shown, words: Wording, now: datetime) -> View:
    """The form; without a call an empty one, for the page's script to fill when a call comes."""
    call, texts = shown.call, words.texts
    values = {name: shown.notes.fields.get(name, "") for name in KINDS}
    for name, usual in _defaults(shown).items():
        values[name] = values[name] or usual
    return {
        "call": line(call, words, now) if call else None,
        "call_id": call.call_id if call else "",
        "key": secrets.token_hex(16),
        "version": shown.notes.version,
        "values": values,
        "defaults": _defaults(shown),
        "problems": {each.field: texts(f"desk_wrong.{each.wrong}") for each in shown.problems},
        "problem_list": [(each.field, texts(f"desk_field.{each.field}")) for each in shown.problems],
        "filed": [(number, where(number)) for number in shown.filed],
        "options": _options(shown, words),
        "categories": _categories(shown.catalogue, words),
    }


def line(call: UnfiledCall, words: Wording, now: datetime) -> View:
    """A call in the list of those that are not filed."""
    deadline = call.arrived_at + REGISTER_WITHIN[Channel.HOTLINE]
    return {
        "key": call.call_id,
        "arrived": words.moment(call.arrived_at, now),
        "arrived_at": instant(call.arrived_at),
        "caller": masked(call.caller) or words.texts("desk.withheld"),
        "known_number": bool(call.caller),
        "section": words.section(call.section),
        "section_id": call.section or "",
        "language": words.texts.named("language", call.language) if call.language else "",
        "goes_on": call.ended_at is None,
        "late": call.ended_at is not None and now - call.ended_at > _LATE_AFTER,
        "has_notes": call.has_notes,
        "complaint_deadline": instant(deadline),
        "href": f"/desk?call={call.call_id}",
    }


def where(number: str) -> str:
    """The page of what a call was filed as; empty if it has none."""
    found = parse_number(number)
    return f"{_PAGES[found[0]]}/{number}" if found else ""


def _defaults(shown: Shown) -> dict[str, str]:
    call = shown.call
    section = call.section if call and call.section in shown.sections else next(iter(shown.sections), "")
    return {"section": section or "", "urgency": Urgency.ORDINARY, "importance": Importance.ORDINARY}


def _options(shown: Shown, words: Wording) -> View:
    texts, catalogue, language = words.texts, shown.catalogue, words.texts.language
    return {
        "outcome": _named(words, "desk_outcome", Outcome),
        "reason": _named(words, "desk_reason", NothingReason),
        "type": _named(words, "case_type", ComplaintType),
        "urgency": _named(words, "case_urgency", Urgency),
        "importance": _named(words, "case_importance", Importance),
        "section": [(section, words.section(section)) for section in shown.sections],
        "department": [(each, catalogue.department_name(each, language)) for each in catalogue.departments],
        "cause": [
            ("", texts("desk.cause_open")),
            *((each, catalogue.cause_name(each, language)) for each in catalogue.causes),
        ],
    }


def _named(words: Wording, group: str, values: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(each.value, words.texts(f"{group}.{each}")) for each in values]


def _categories(catalogue: Catalogue, words: Wording) -> list[View]:
    """The leaves of the tree, by its roots."""
    language, groups = words.texts.language, dict[str, list[View]]()
    for each in catalogue.categories.values():
        if not each.is_leaf:
            continue
        root, _, below = each.id.partition("/")
        name = catalogue.category_name(each.id, language)
        groups.setdefault(root, []).append(
            {
                "id": each.id,
                "name": name.partition(" / ")[2] if below else name,
                "sections": " ".join(sorted(each.sections)),
                "department": each.department or "",
                "due_hours": each.due_hours or "",
            }
        )
    return [{"name": catalogue.category_name(root, language), "leaves": leaves} for root, leaves in groups.items()]
