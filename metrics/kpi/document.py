"""The catalogue as a document: ``docs/kpi.md``, which ``sansheng kpi`` prints."""

from __future__ import annotations

from collections.abc import Iterable

from metrics.kpi.catalogue import KPIS
from metrics.kpi.model import LANGUAGES, Kpi, Text

_INTRODUCTION = """# Indicators

Made from `metrics/kpi/` by `sansheng kpi > docs/kpi.md`; edit it there.

A figure always carries its numerator, its denominator, the version of its definition, when the books were read,
and whether it may still change (provisional). Its value is numerator ÷ denominator; of nothing there is no value.
A call counts in the period in which it arrived, whatever happened to it later. Test calls (the synthetic caller's
and those of agents' own telephones) count in no indicator.

A definition never changes under its version. The version of K2 and K2r fixes the limit of A1: 1 is 15 s, 2 is
12 s, and 1000 + n stands for an operator's own limit of n seconds; the setting `rings` decides which is current.
Old periods can be shown under any version whose limit is 5, 9, 10, 11, 12, 15, 18, 20 or 30 s, or the operator's.
AHT is version 2; version 1 is for periods before work after the talk was kept.

每个数字都附带分子、分母、口径版本、统计时刻以及是否暂定。数值为分子 ÷ 分母；分母为零则无数值。
来电按呼入之日归属。拨测与座席试拨不计入任何指标。同一版本的口径永不更改。
K2、K2r 的版本决定时限：1 为 15 秒，2 为 12 秒，1000 + n 为运营方自定的 n 秒。
AHT 现为版本 2；话后处理尚未记录的时段用版本 1。
"""


def document() -> str:
    """The whole document, in both languages, ending with a line break."""
    official = [kpi for kpi in KPIS if kpi.official]
    adjusted = [kpi for kpi in KPIS if not kpi.official]
    return "\n".join(
        [
            _INTRODUCTION,
            "## Official 官方口径\n",
            *_table(official),
            "\n## Adjusted and counts 辅助指标\n",
            *_table(adjusted),
            "\n## Definitions 口径\n",
            *(line for kpi in KPIS for line in _definition(kpi)),
        ]
    )


def _table(kpis: Iterable[Kpi]) -> Iterable[str]:
    yield "| id | version | 名称 | name | unit | follows |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for kpi in kpis:
        names = " | ".join(kpi.names[language] for language in LANGUAGES)
        yield f"| {kpi.id} | {kpi.version} | {names} | {kpi.unit} | {kpi.source} |"


def _definition(kpi: Kpi) -> Iterable[str]:
    yield f"### {kpi.id}, version {kpi.version}: {kpi.names['zh-CN']} · {kpi.names['en']}\n"
    for name, words in (
        ("公式 formula", kpi.formula),
        ("分子 numerator", kpi.numerator),
        ("分母 denominator", kpi.denominator),
        ("剔除 left out", kpi.excluded),
        ("原因 why", kpi.why),
    ):
        yield f"- **{name}**: {_both(words)}"
    notes = [f"unit {kpi.unit}", f"follows {kpi.source}"]
    if kpi.target is not None:
        notes.append(f"aim {kpi.target:g}")
    by = ", ".join(sorted(kpi.dimensions)) or "nothing: the whole centre only"
    yield f"- **说明 notes**: {'; '.join(notes)}; told apart by {by}\n"


def _both(words: Text) -> str:
    return " · ".join(dict.fromkeys(words[language] for language in LANGUAGES))
