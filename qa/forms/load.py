"""Forms as TOML files: the one that comes with the product, and those that an operator brings."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calls.errors import FormFaulty
from calls.ids import Language
from calls.quality import Criterion, CriterionKind, Form, FormSection
from qa.forms.check import check_form

_DEFAULT = Path(__file__).parent / "default.toml"

_Names = dict[str, str]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Criterion(_Part):
    id: _Id
    names: _Names
    kind: CriterionKind = CriterionKind.YES_NO
    points: int = 1
    may_not_apply: bool = True
    fatal: bool = False
    rules: tuple[str, ...] = ()
    requirement: str = ""
    guidance: _Names = {}


class _Section(_Part):
    id: _Id
    names: _Names
    weight: int
    criteria: tuple[_Criterion, ...]


class _File(_Part):
    names: _Names
    bonus_most: int
    penalty_most: int
    fatal_total: int
    pass_mark: int
    sections: tuple[_Section, ...]


def default_form() -> Form:
    """The form that comes with the product: the demands A2 to A6, offered as a template."""
    return read_form(_DEFAULT.read_text("utf-8"))


def read_form(text: str) -> Form:
    """Read a form. Raises FormFaulty, saying what is wrong, for one that could not be published."""
    try:
        file = _File.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise FormFaulty(f"no form: {error}") from error
    form = Form(
        names=_names(file.names),
        sections=tuple(
            FormSection(
                section.id, _names(section.names), section.weight, tuple(map(_criterion, section.criteria))
            )
            for section in file.sections
        ),
        bonus_most=file.bonus_most,
        penalty_most=file.penalty_most,
        fatal_total=file.fatal_total,
        pass_mark=file.pass_mark,
    )
    if faults := check_form(form):
        raise FormFaulty(", ".join(f"{fault.what} {fault.where}".strip() for fault in faults))
    return form


def _criterion(read: _Criterion) -> Criterion:
    return Criterion(
        id=read.id,
        names=_names(read.names),
        kind=read.kind,
        points=read.points,
        may_not_apply=read.may_not_apply,
        fatal=read.fatal,
        rules=read.rules,
        requirement=read.requirement,
        guidance=_names(read.guidance),
    )


def _names(names: _Names) -> dict[Language, str]:
    return {Language(language): text for language, text in names.items()}
