"""axe-core on a page: what it finds against WCAG 2.2 AA, in words that lead to the place."""

from __future__ import annotations

from functools import cache

from playwright.async_api import Page

from service.settings import ROOT
from tests.support_npm import fetched

_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_LOOK = """
async (rules) => {
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target + " " +
    (node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? "")).join("; ")}`);
}
"""


@cache
def _axe() -> str:
    return (fetched(ROOT / "console" / "npm") / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


async def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now. It runs beside the page's policy, which lets no such script in."""
    await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_LOOK, list(_RULES))
    return found
