"""``python -m bench.masking``: see bench/README.md. ``SEED=7`` in the environment makes another set."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.masking.generate import Item, ordinary, secrets
from qa.masking import find

SEED = 2026
_SECRETS, _ORDINARY = 5000, 2000
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Score:
    """What came of a set."""

    items: int
    missed: tuple[Item, ...]

    @property
    def share(self) -> float:
        """Of the items, those that came out well."""
        return 1 - len(self.missed) / self.items


def hides_all(item: Item) -> bool:
    """Whether nothing that must not be read is left. Letters that stay of a word that is half masked count."""
    left = {index for index, hidden in enumerate(item.secret) if hidden}
    for each in find(item.words):
        whole = set(range(each.first, each.last + 1))
        if each.skip and item.secret[each.first]:
            whole.discard(each.first)
        if each.until < len(item.words[each.last].text) and item.secret[each.last]:
            whole.discard(each.last)
        left -= whole
    return not left


def recall(items: Iterable[Item]) -> Score:
    """Items of which all is hidden."""
    every = list(items)
    return Score(len(every), tuple(item for item in every if not hides_all(item)))


def restraint(items: Iterable[Item]) -> Score:
    """Ordinary items of which nothing is hidden."""
    every = list(items)
    return Score(len(every), tuple(item for item in every if find(item.words)))


def main() -> None:
    seed = int(os.environ.get("SEED", SEED))
    print(f"seed {seed}\n")
    items = list(secrets(seed, _SECRETS))
    kept, calm = recall(items), restraint(ordinary(seed, _ORDINARY))
    totals, misses = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for counted, these in ((totals, items), (misses, list(kept.missed))):
        for item in these:
            counted.update((("kind", item.kind), ("said in", item.saying), ("noise", item.noise)))
    by = defaultdict[str, list[str]](list)
    for name, value in totals:
        by[name].append(value)
    for name, values in by.items():
        print(f"{name:10} {'items':>6} {'missed':>7} {'recall':>8}")
        for value in sorted(values):
            total, missed = totals[name, value], misses[name, value]
            print(f"{value:10} {total:6} {missed:7} {1 - missed / total:8.4f}")
        print()
    for title, missed_items in (("missed", kept.missed), ("masked without need", calm.missed)):
        print(f"{title}: {len(missed_items)}" + (f", the first {_SHOWN}" if len(missed_items) > _SHOWN else ""))
        for item in missed_items[:_SHOWN]:
            print(f"  {item.kind} {item.saying} {item.noise}: {item.text}")
    print(
        f"RESULT name=masking recall={kept.share:.4f} false_positives={1 - calm.share:.4f} "
        f"items={kept.items} ordinary={calm.items}"
    )


if __name__ == "__main__":
    main()
