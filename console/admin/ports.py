"""What the configuration pages ask of the rest of the service; joined in ``service/console.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from calls.ids import CallId
from calls.ports import Clock
from ivr.menu.model import Language, Menu, PromptId
from qa.rules.model import RuleSet
from recordings.retention import Policies


@dataclass(frozen=True, slots=True)
class DueNow:
    """What retention would delete now."""

    calls: int
    doubt: str
    """Why nothing is deleted without a person's word; empty if all is as usual."""
    some: tuple[tuple[CallId, str], ...]
    """The first of them, each with its policy."""


class Retention(Protocol):
    """Looks; the service deletes by itself."""

    async def due(self, most: int) -> DueNow:
        """As of now. Raises StorageUnavailable."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is. Nothing secret: secrets lie in files, of which the settings hold the names."""

    name: str
    value: str
    default: bool
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationParts:
    """What the configuration pages are made from, beside ``console.parts.Parts``."""

    menu: Menu
    menu_file: str
    menu_clock: Clock
    prompt_texts: Mapping[Language, Mapping[PromptId, str]]
    prompts: Mapping[Language, Set[PromptId]]
    """Those that there is sound for."""
    rules: Sequence[RuleSet]
    policies: Policies
    attachments_days: int
    retention: Retention
    settings: Sequence[Setting]
