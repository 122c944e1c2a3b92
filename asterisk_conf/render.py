"""Asterisk's own configuration, rendered from templates into a directory of this installation."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).parent / "templates"

_EMPTY = ("acl", "ccss", "cli", "cli_aliases", "cli_permissions", "codecs", "extconfig", "features", "sorcery",
          "pjproject", "udptl")  # fmt: skip
"""Files that Asterisk looks for and that need not say anything."""


def render(context: Mapping[str, object], into: Path) -> None:
    """Render every template into ``into``, each file complete or not at all, readable by us alone (0600)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - these are Asterisk's files, not HTML; Settings admit safe values only
    )
    for name in sorted(environment.list_templates(extensions=["j2"])):
        write_private(into / name.removesuffix(".j2"), environment.get_template(name).render(context))
    for name in _EMPTY:
        write_private(into / f"{name}.conf", "")


def write_private(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file atomically, with the given mode from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
