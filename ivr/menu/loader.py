"""Reads a menu file (TOML) into a `Menu`.

`load_menu` is the way in: it reads, checks and returns, or raises one `MenuError` that lists
everything that is wrong, in the words of the file. `ivr/menu/hotline.toml` is the shipped menu and
the example of the format.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence, Set
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from calls.errors import MenuError
from ivr.menu.file import MenuFile
from ivr.menu.linter import lint
from ivr.menu.model import Language, Menu, PromptId

HOTLINE = Path(__file__).with_name("hotline.toml")
"""The shipped menu."""

_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list in [ ]",
    "dict_type": "must be a table",
    "model_type": "must be a name in quotes, or a table",
    "union_tag_not_found": "must name its kind: announce, choose, hours, to-person or goodbye",
    "union_tag_invalid": "is of an unknown kind: announce, choose, hours, to-person and goodbye are known",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "greater_than_equal": "is too small",
}


def load_menu(path: Path, prompts_available: Mapping[Language, Set[PromptId]]) -> Menu:
    """Reads a menu file and refuses it unless the linter finds nothing. Raises MenuError with every
    problem, one a line.
    """
    menu = read_menu(path)
    findings = lint(menu, prompts_available)
    if findings:
        raise MenuError("\n".join(f"{path.name}: {finding}" for finding in findings))
    return menu


def read_menu(path: Path) -> Menu:
    """Reads a menu file without linting it. Raises MenuError if it is missing, not TOML, or not of the
    right form.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MenuError(f"{path}: cannot be read: {error}") from error
    return parse_menu(text, path.name)


def parse_menu(text: str, source: str) -> Menu:
    """Parses the text of a menu file; `source` names it in errors. Raises MenuError listing all
    problems of form at once.
    """
    try:
        return MenuFile.model_validate(tomllib.loads(text)).menu()
    except tomllib.TOMLDecodeError as error:
        raise MenuError(f"{source}: is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [f"{source}: {_problem(detail['loc'], detail)}" for detail in error.errors()]
        raise MenuError("\n".join(problems)) from error


def _problem(place: Sequence[int | str], detail: Mapping[str, Any]) -> str:
    message = _MESSAGES.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    return f"{_where(place)} {message}"


def _where(place: Sequence[int | str]) -> str:
    """Turns ("nodes", "sections", "choose", "say", 0) into "node 'sections', key 'say', item 1"."""
    parts = [part for part in place if part != "[key]"]
    named = {"nodes": "node", "sections": "section", "schedules": "schedule"}
    words = []
    if parts[0] in named and len(parts) > 1:
        words.append(f"{named[str(parts[0])]} '{parts[1]}'")
        # For a node, pydantic names its kind before the key.
        parts = parts[3:] if parts[0] == "nodes" else parts[2:]
    for is_index, group in groupby(parts, lambda part: isinstance(part, int)):
        if is_index:
            words += [f"item {int(index) + 1}" for index in group]
        else:
            words.append(f"key '{'.'.join(map(str, group))}'")
    return ", ".join(words)
