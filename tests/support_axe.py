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


_OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_IS_DARK = "matchMedia('(prefers-color-scheme: dark)').matches"


@cache
def _axe() -> str:
    return (fetched(ROOT / "console" / "npm") / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


async def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now. It runs beside the page's policy, which lets no such script in."""
    await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_LOOK, list(_RULES))
    return found


async def turned_over(page: Page, look: str = _LOOK) -> list[str]:
    """What axe finds in the other colour scheme, by the rules that colours can break; the page is left as it was.

    ``look`` is run with those rules, axe-core being in the page.
    """
    dark = bool(await page.evaluate(_IS_DARK))
    await page.emulate_media(color_scheme="light" if dark else "dark", reduced_motion="reduce")
    try:
        found: list[str] = await page.evaluate(look, _OF_COLOURS)
        return found
    finally:
        await page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="no-preference")
