"""Causes, departments and the tree of categories, read from a file (A7, C6)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calls.cases import CategoryId, CauseId, DepartmentId
from calls.errors import SettingsError
from calls.ids import Language, SectionId

DEFAULT_FILE = Path(__file__).parent / "categories.toml"
LANGUAGES = (Language("zh-CN"), Language("en"))
"""Every name is there in each of these."""

_ID = re.compile(r"[a-z][a-z0-9_-]{0,39}(/[a-z][a-z0-9_-]{0,39}){0,4}")
_PARTS = frozenset({"version", "cause", "department", "category"})
Names = Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Category:
    """One branch or leaf of the tree."""

    id: CategoryId
    names: Names
    sections: frozenset[SectionId]
    """Where it is offered; empty: everywhere."""
    department: DepartmentId | None
    """Who usually settles it."""
    due_hours: int | None
    """What a caller is usually promised (A5)."""
    is_leaf: bool

    @property
    def depth(self) -> int:
        """0 at the root."""
        return self.id.count("/")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One version of all that cases are sorted by."""

    version: int
    causes: Mapping[CauseId, Names]
    departments: Mapping[DepartmentId, Names]
    categories: Mapping[CategoryId, Category]
    text: str
    """The file as it was: kept in the books, so that an old case can be named for ever."""

    def has_cause(self, cause: str) -> bool:
        return cause in self.causes

    def has_department(self, department: str) -> bool:
        return department in self.departments

    def has_category(self, category: str) -> bool:
        """Whether there is such a leaf: nothing is filed under a branch."""
        found = self.categories.get(CategoryId(category))
        return found is not None and found.is_leaf

    def offered(self, section: SectionId) -> list[Category]:
        """The tree as a section sees it, parents before children."""
        return [each for each in self.categories.values() if not each.sections or section in each.sections]

    def cause_name(self, cause: str, language: Language) -> str:
        """What people call it; the id itself if this version does not know it."""
        return _named(self.causes.get(CauseId(cause)), cause, language)

    def department_name(self, department: str, language: Language) -> str:
        """What people call it; the id itself if this version does not know it."""
        return _named(self.departments.get(DepartmentId(department)), department, language)

    def category_name(self, category: str, language: Language) -> str:
        """The names of the category and of its parents, from the root."""
        parts = category.split("/")
        above = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        known = (self.categories.get(CategoryId(each)) for each in above)
        return " / ".join(
            _named(found.names if found else None, part, language)
            for found, part in zip(known, parts, strict=True)
        )


def read_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue of a file, or the one that comes with the product. Raises SettingsError."""
    path = path or DEFAULT_FILE
    try:
        return parse_catalogue(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"catalogue {path}: cannot be read ({error.strerror})") from error
    except SettingsError as error:
        raise SettingsError(f"catalogue {path}: {error}") from error


def parse_catalogue(text: str) -> Catalogue:
    """Raises SettingsError with the first thing that is wrong."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(error)) from error
    if set(told) - _PARTS:
        raise SettingsError(f"{sorted(set(told) - _PARTS)[0]!r} is not part of a catalogue")
    version = told.get("version")
    if not isinstance(version, int) or version < 1:
        raise SettingsError("version must be a whole number from 1 on")
    causes = {CauseId(each): names for each, names, _ in _entries(told, "cause", frozenset())}
    departments = {DepartmentId(each): names for each, names, _ in _entries(told, "department", frozenset())}
    categories = _categories(told, frozenset(departments))
    if not (causes and departments and any(each.is_leaf for each in categories.values())):
        raise SettingsError("at least one cause, one department and one category are needed")
    return Catalogue(version, causes, departments, categories, text)


def _categories(told: Mapping[str, Any], departments: frozenset[str]) -> dict[CategoryId, Category]:
    found: dict[CategoryId, Category] = {}
    entries = list(_entries(told, "category", frozenset({"sections", "department", "due_hours"})))
    ids = {each for each, _, _ in entries}
    for each, names, entry in entries:
        parent = found.get(CategoryId(each.rpartition("/")[0]))
        if "/" in each and parent is None:
            raise SettingsError(f"category {each!r}: its parent must stand before it")
        department, hours = entry.get("department"), entry.get("due_hours")
        if department is not None and department not in departments:
            raise SettingsError(f"category {each!r}: there is no department {department!r}")
        if hours is not None and (not isinstance(hours, int) or hours < 1):
            raise SettingsError(f"category {each!r}: due_hours must be a whole number from 1 on")
        sections = frozenset(map(SectionId, entry.get("sections", ()))) or (
            parent.sections if parent else frozenset()
        )
        is_leaf = not any(other.startswith(f"{each}/") for other in ids)
        place = DepartmentId(department) if department else None
        found[CategoryId(each)] = Category(CategoryId(each), names, sections, place, hours, is_leaf)
    return found


def _entries(
    told: Mapping[str, Any], part: str, more: frozenset[str]
) -> Iterator[tuple[str, Names, Mapping[str, Any]]]:
    seen: set[str] = set()
    entries = told.get(part, [])
    if not isinstance(entries, list):
        raise SettingsError(f"{part}: expected [[{part}]] tables")
    for entry in entries:
        each, names = entry.get("id"), entry.get("names")
        if not isinstance(each, str) or not _ID.fullmatch(each) or (part != "category" and "/" in each):
            raise SettingsError(f"{part}: {each!r} is not an id")
        if each in seen:
            raise SettingsError(f"{part} {each!r} is there twice")
        unknown = set(entry) - {"id", "names"} - more
        if unknown:
            raise SettingsError(f"{part} {each!r}: {sorted(unknown)[0]!r} is not known")
        if not isinstance(names, dict) or any(not str(names.get(tag) or "").strip() for tag in LANGUAGES):
            raise SettingsError(f"{part} {each!r}: a name is needed in {' and '.join(LANGUAGES)}")
        seen.add(each)
        yield each, {tag: str(names[tag]) for tag in LANGUAGES}, entry


def _named(names: Names | None, otherwise: str, language: Language) -> str:
    return names.get(language) or names[LANGUAGES[0]] if names else otherwise
