"""What rules are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from qa.rules.loader import load_rules, packs


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    """Of the rules that come with the product; an operator's own go by their ids unless they have the same."""
    return {
        rule.id: {str(tag): name for tag, name in rule.names.items()}
        for path in packs()
        for rule in load_rules(path).rules
    }


def rule_name(rule: str, language: str) -> str:
    """The rule's name; its id where it has none in that language."""
    return _names().get(rule, {}).get(language, rule)


def rule_ids() -> list[str]:
    """The rules that come with the product."""
    return list(_names())
