"""Rule sets, read from TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from calls.errors import RuleError
from qa.rules.model import RuleSet

PACKS = Path(__file__).resolve().parent.parent / "packs"
"""The rule sets that come with the product."""


def packs() -> list[Path]:
    """The files of the rule sets that come with the product."""
    return sorted(PACKS.glob("*.toml"))


def load_rules(path: Path) -> RuleSet:
    """Read a rule set. Raises RuleError that names every wrong key."""
    try:
        return RuleSet.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RuleError(f"cannot read the rule set {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "\n".join(
            f"  {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
        raise RuleError(f"{path}:\n{wrong}") from error
