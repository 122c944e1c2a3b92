"""Expressions for the ledger's figures: what the reports say, with what it was divided by."""

from __future__ import annotations

from metrics.dashboards.look import Named, Text
from metrics.kpi.catalogue import KPIS
from metrics.kpi.model import Kpi

OVER_TODAY = 'section="all",period="today"'
"""The whole centre, today."""


def numerator(kpi: str, where: str = OVER_TODAY) -> str:
    """What is counted."""
    return f'sum(hotline_kpi_numerator{{kpi="{kpi}",{where}}})'


def denominator(kpi: str, where: str = OVER_TODAY) -> str:
    """What it is divided by."""
    return f'sum(hotline_kpi_denominator{{kpi="{kpi}",{where}}})'


def value(kpi: str, where: str = OVER_TODAY) -> str:
    """The indicator's value; nothing while there is nothing to divide by."""
    return f"{numerator(kpi, where)} / ({denominator(kpi, where)} > 0)"


def by(label: str, where: str, *, part: str = "value") -> str:
    """The value, numerator or denominator of all that `where` picks, by a label."""
    parts = {
        "numerator": f"sum by ({label}) (hotline_kpi_numerator{{{where}}})",
        "denominator": f"sum by ({label}) (hotline_kpi_denominator{{{where}}})",
    }
    return parts.get(part) or f"{parts['numerator']} / ({parts['denominator']} > 0)"


def kpi_names() -> tuple[Named, ...]:
    """Every indicator's id and names, in the order of the catalogue; its version where it is not the first.

    The settings choose those of K2 and K2r.
    """
    names = {kpi.id: Text(*(f"{_label(kpi)} {kpi.names[tag]}" for tag in ("zh-CN", "en"))) for kpi in KPIS}
    return tuple(Named(kpi_id, text, "text") for kpi_id, text in names.items())


def _label(kpi: Kpi) -> str:
    return f"{kpi.id} v{kpi.version}" if kpi.version > 1 and kpi.limit_s is None else kpi.id
