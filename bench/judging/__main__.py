"""``python -m bench.judging``: see bench/README.md."""

from __future__ import annotations

import argparse

from bench.judging import page
from bench.judging.labelled import labelled
from bench.judging.score import score, tables, verdicts
from calls.verdicts import Outcome
from qa.rules import load_rules, packs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.judging")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/rules.md")
    parser.add_argument("--wrong", action="store_true", help="list every verdict that is wrong")
    options = parser.parse_args()
    dialogues = list(labelled())
    judged = list(verdicts(dialogues, [load_rules(path) for path in packs()]))
    text, basis = tables(judged), page.basis()
    print(text)
    if options.wrong:
        for each in judged:
            verdict = each.verdict
            if verdict.outcome not in (each.truth, Outcome.CANNOT_JUDGE):
                said = f"{verdict.call_id} {each.noise} {each.rule_set} {verdict.rule}: is {each.truth}, "
                heard = " ".join(evidence.text for evidence in verdict.evidence)
                print(
                    f"{said}said {verdict.outcome} ({verdict.explanation.reason}) {heard} {each.dialogue.planted}"
                )
    if options.write:
        page.FILE.write_text(
            page.with_tables(page.FILE.read_text(encoding="utf-8"), f"{text}\n\nBasis: `{basis}`"),
            encoding="utf-8",
        )
    total = score(judged)
    precision, recall, all_found = total.precision, total.recall, total.found_of_all
    if precision is None or recall is None or all_found is None:
        raise SystemExit("nothing was found to be broken: the labelled dialogues or the rules are not there")
    print(
        f"RESULT name=judging dialogues={len(dialogues)} verdicts={total.verdicts} precision={precision:.4f} "
        f"recall={recall:.4f} found_of_all_broken={all_found:.4f} "
        f"cannot_judge={total.unjudged / total.verdicts:.4f} accused_wrongly={total.accused}"
    )


if __name__ == "__main__":
    main()
