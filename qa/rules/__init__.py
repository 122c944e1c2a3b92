"""Rules: versioned data, who must or must not say what, and the engine that judges calls by them (A2 to A6)."""

from qa.rules.judge import judge
from qa.rules.loader import load_rules, packs
from qa.rules.model import RuleSet

__all__ = ["RuleSet", "judge", "load_rules", "packs"]
