"""How the dashboards look for this hotline: its sections under their names, its rings, its time zone."""

from __future__ import annotations

from calls.ids import Language, SectionId
from ivr.menu.model import Menu
from metrics.dashboards.look import ENGLISH, ZH_CN, Look, Text
from service.settings import Settings


def look_of(settings: Settings, menu: Menu, language: Language = ZH_CN) -> Look:
    """The look of the settings, with the sections as the menu names them (A1, A9)."""
    return Look(
        language,
        ring_s=settings.rings.cycle_s,
        rings=settings.rings.count,
        timezone=settings.timezone,
        sections={
            SectionId(section.id): Text(*(section.names.get(tag, section.id) for tag in (ZH_CN, ENGLISH)))
            for section in menu.sections.values()
        },
    )
