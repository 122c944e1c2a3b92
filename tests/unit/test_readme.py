"""The README's table of settings is the settings' own."""

from __future__ import annotations

from service.settings import ROOT, describe


def test_every_setting_is_in_the_readme_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, default, meaning in describe():
        shown = f"`{default}`" if default else ""
        assert f"| `{name}` | {shown} | {meaning} |" in readme, name
