"""What the configuration pages show: menu, rules, policies and settings as this service runs by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ports import Clock
from console.admin.ports import ConfigurationParts, DueNow, Setting
from ivr.menu.loader import read_menu
from service.custody import custody_of
from service.judging import rule_sets
from service.prompts import prompt_texts, prompts_available
from service.retention import RetentionKeeper, keeper_of, policies_of
from service.settings import ROOT, Settings, Webhook

_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^@/\s]+@")
_KEY = re.compile(r"([?&][^=&\s]*(?:secret|key|password|token)[^=&\s]*=)[^&\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RetentionLook:
    """See ``console.admin.ports.Retention``."""

    keeper: RetentionKeeper

    async def due(self, most: int) -> DueNow:
        """As of now."""
        found = await self.keeper.look()
        some = await self.keeper.some_due(most) if found.due else []
        return DueNow(found.due, found.doubt, tuple((call_id, str(policy)) for call_id, policy in some))


def configuration_of(
    settings: Settings, engine: AsyncEngine, clock: Clock, menu_clock: Clock
) -> ConfigurationParts:
    """The parts. Raises MenuError or RuleError for files that cannot be read."""
    return ConfigurationParts(
        menu=read_menu(settings.menu_file),
        menu_file=_shown_path(settings.menu_file),
        menu_clock=menu_clock,
        prompt_texts=prompt_texts(),
        prompts=prompts_available(),
        rules=rule_sets(settings),
        policies=policies_of(settings.retention),
        attachments_days=settings.retention.attachments_days,
        retention=RetentionLook(keeper_of(settings, engine, custody_of(settings, engine, clock), clock)),
        settings=tuple(shown_settings(settings)),
    )


def shown_settings(part: BaseModel, prefix: str = "") -> Iterator[Setting]:
    """Every setting with its value. Passwords in addresses, and where webhooks post to exactly, are left out."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from shown_settings(value, f"{prefix}{name}.")
        else:
            yield Setting(f"{prefix}{name}", _shown(value), value == field.get_default(), field.description or "")


def _shown(value: object) -> str:
    match value:
        case Webhook(name=name, url=url):
            return f"{name}: {urlsplit(url).scheme}://{urlsplit(url).hostname}/…"
        case BaseModel():
            parts = ((name, _shown(getattr(value, name))) for name in type(value).model_fields)
            return ", ".join(f"{name} {text}" for name, text in parts if text)
        case tuple():
            return " · ".join(map(_shown, value))
        case Path():
            return _shown_path(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return _KEY.sub(r"\1***", _PASSWORD.sub(r"\1***@", str(value)))


def _shown_path(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
