"""The form builder: a draft as typed into a page, and the acts of its buttons (Q4)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from multidict import MultiDictProxy

from calls.ids import Language
from calls.quality import Criterion, CriterionKind, Form, FormSection, Names
from qa.forms.check import LANGUAGES

T = TypeVar("T")

_RULE = re.compile(r"[a-z][a-z0-9-]{1,40}")


class Act(StrEnum):
    """What a button of the builder does, beside saving what is typed."""

    SAVE = "save"
    PUBLISH = "publish"
    DISCARD = "discard"
    COPY = "copy"
    """Save what is typed as another form: somebody else has changed this one."""
    ADD_SECTION = "add-section"
    REMOVE_SECTION = "remove-section"
    RAISE_SECTION = "raise-section"
    ADD_CRITERION = "add-criterion"
    REMOVE_CRITERION = "remove-criterion"
    RAISE_CRITERION = "raise-criterion"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button, and which section and criterion it belongs to, from 0."""

    act: Act
    section: int = 0
    criterion: int = 0


def read_pressed(text: str) -> Pressed:
    """``raise-criterion:1:0``; nonsense saves."""
    name, *numbers = text.split(":")
    if name not in list(Act) or not all(each.isascii() and each.isdigit() for each in numbers):
        return Pressed(Act.SAVE)
    return Pressed(Act(name), *map(int, numbers[:2]))


def read_form(typed: MultiDictProxy[str], rules: Sequence[str]) -> Form:
    """The form as typed. ``rules``: those in force, in their order; links to others, of a rule set that is not in
    force now, stay.
    """
    sections: list[FormSection] = []
    while f"section:{len(sections)}:id" in typed:
        sections.append(_section(typed, len(sections), rules))
    return Form(
        names=_names(typed, "form"),
        sections=tuple(sections),
        bonus_most=_number(typed, "bonus_most"),
        penalty_most=_number(typed, "penalty_most"),
        fatal_total=_number(typed, "fatal_total"),
        pass_mark=_number(typed, "pass_mark"),
    )


def changed(form: Form, pressed: Pressed) -> Form:
    """The form after a button was pressed; one that points nowhere changes nothing."""
    sections, at = list(form.sections), pressed.section
    match pressed.act:
        case Act.ADD_SECTION:
            sections.append(FormSection(_new_id("s"), {}, 0, (_blank(),)))
        case Act.REMOVE_SECTION:
            sections = _without(sections, at)
        case Act.RAISE_SECTION:
            sections = _raised(sections, at)
        case Act.ADD_CRITERION | Act.REMOVE_CRITERION | Act.RAISE_CRITERION if at < len(sections):
            sections[at] = replace(sections[at], criteria=_criteria(sections[at], pressed))
    return replace(form, sections=tuple(sections))


def blank_form() -> Form:
    """A form to begin with where no template is wanted."""
    return Form({}, (FormSection(_new_id("s"), {}, 100, (_blank(),)),))


def _criteria(section: FormSection, pressed: Pressed) -> tuple[Criterion, ...]:
    criteria = list(section.criteria)
    match pressed.act:
        case Act.ADD_CRITERION:
            criteria.append(_blank())
        case Act.REMOVE_CRITERION:
            criteria = _without(criteria, pressed.criterion)
        case _:
            criteria = _raised(criteria, pressed.criterion)
    return tuple(criteria)


def _section(typed: MultiDictProxy[str], at: int, rules: Sequence[str]) -> FormSection:
    here = f"section:{at}"
    criteria: list[Criterion] = []
    while f"criterion:{at}:{len(criteria)}:id" in typed:
        criteria.append(_criterion(typed, f"criterion:{at}:{len(criteria)}", rules))
    return FormSection(
        id=typed.get(f"{here}:id", ""),
        names=_names(typed, here),
        weight=_number(typed, f"{here}:weight"),
        criteria=tuple(criteria),
    )


def _criterion(typed: MultiDictProxy[str], here: str, rules: Sequence[str]) -> Criterion:
    linked = set(typed.getall(f"{here}:rules", []))
    return Criterion(
        id=typed.get(f"{here}:id", ""),
        names=_names(typed, here),
        kind=CriterionKind.SCALE if typed.get(f"{here}:kind") == CriterionKind.SCALE else CriterionKind.YES_NO,
        points=_number(typed, f"{here}:points"),
        may_not_apply=f"{here}:may_not_apply" in typed,
        fatal=f"{here}:fatal" in typed,
        rules=(
            *(rule for rule in rules if rule in linked),
            *sorted(rule for rule in linked if rule not in rules and _RULE.fullmatch(rule)),
        ),
        requirement=typed.get(f"{here}:requirement", "").strip()[:4],
        guidance=_names(typed, f"{here}:guidance"),
    )


def _names(typed: MultiDictProxy[str], here: str) -> Names:
    found = {language: typed.get(f"{here}:{language}", "").strip()[:500] for language in LANGUAGES}
    return {Language(language): text for language, text in found.items() if text}


def _number(typed: MultiDictProxy[str], name: str) -> int:
    """A whole number; what cannot be read is -1, which no form may hold."""
    text = typed.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1


def _blank() -> Criterion:
    return Criterion(_new_id("c"), {})


def _new_id(letter: str) -> str:
    """An id that no other version of the form has used for something else."""
    return f"{letter}-{secrets.token_hex(3)}"


def _without(items: list[T], at: int) -> list[T]:
    return [item for number, item in enumerate(items) if number != at]


def _raised(items: list[T], at: int) -> list[T]:
    if 0 < at < len(items):
        items[at - 1], items[at] = items[at], items[at - 1]
    return items
