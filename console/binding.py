"""Attributes that say where a value of the view goes, with the value already in place.

``fill.js`` reads the same ``data-bind`` when a new view arrives, so each place is named once, in the template.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup


def bind(item: Mapping[str, object], spec: str) -> Markup:
    """Attributes from ``attribute:path`` pairs, e.g. ``data-state:state hidden:nobody``, filled from ``item``.

    A value of ``None`` or false leaves the attribute out, true makes it empty. ``hidden:!path`` negates. The text
    of an element is bound by ``text:path`` and written by the template itself.
    """
    parts = [Markup('data-bind="{}"').format(spec)]
    for pair in spec.split():
        attribute, _, path = pair.partition(":")
        if attribute == "text":
            continue
        value = look_up(item, path)
        if value is True:
            parts.append(Markup("{}").format(attribute))
        elif value is not None and value is not False:
            parts.append(Markup('{}="{}"').format(attribute, value))
    return Markup(" ").join(parts)


def look_up(item: Mapping[str, object], path: str) -> object:
    """The value at a dotted path; ``!`` before it negates. A path that leads nowhere raises KeyError."""
    if path.startswith("!"):
        return not look_up(item, path[1:])
    value: object = item
    for name in path.split("."):
        assert isinstance(value, Mapping), f"{path} goes through a value that has no parts"
        value = value[name]
    return value
