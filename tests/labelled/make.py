"""``python -m tests.labelled.make``: writes dialogues.jsonl.gz anew, the dialogues that rules are measured on.

Templates write what is said and, with it, what is true (``mandarin.py``, ``others.py``); ``noise.py`` then makes
of it what a recogniser would. Nothing here knows the engine or the rule sets. ``SEED=7`` in the environment makes
another set.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from tests.labelled import mandarin, others
from tests.labelled.noise import STRENGTHS, Strength, heard
from tests.labelled.script import Script, timed

SEED = 20261123
FILE = Path(__file__).with_name("dialogues.jsonl.gz")
_MANDARIN, _ENGLISH, _KOREAN = 300, 30, 30


def dialogues(seed: int) -> Iterator[dict[str, Any]]:
    """All dialogues, each at one strength of noise in turn."""
    number = 0
    for template, count in ((mandarin.template, _MANDARIN), (others.english, _ENGLISH), (others.korean, _KOREAN)):
        for index in range(count):
            random = Random(f"{seed} {number}")
            strength = STRENGTHS[index % len(STRENGTHS)]
            yield _dialogue(
                number, template(index // len(STRENGTHS) + index % len(STRENGTHS) * 11, random), strength, random
            )
            number += 1


def _dialogue(number: int, script: Script, strength: Strength, random: Random) -> dict[str, Any]:
    legs = timed(script, random)
    duration_s = max(end for leg in legs.values() for _, end in leg.voice) + 1.0
    return {
        "id": f"labelled-{number}",
        "language": script.language,
        "noise": strength.name,
        "planted": script.planted,
        "agent": script.agent,
        "has_callback": script.has_callback,
        "duration_s": round(duration_s, 2),
        "truth": script.truth,
        "legs": {
            name: {
                "narrow": strength.narrow,
                "voice": leg.voice,
                "words": heard(leg.words, script.language, strength, random),
            }
            for name, leg in legs.items()
        },
    }


def main() -> None:
    seed = int(os.environ.get("SEED", SEED))
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in dialogues(seed)]
    with FILE.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write("\n".join(lines).encode())
    print(f"seed {seed}: {len(lines)} dialogues, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
