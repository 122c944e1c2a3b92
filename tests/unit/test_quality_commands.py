"""``sansheng transcripts``, ``verdicts`` and ``rules``, in this process, on books with one judged call in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls.custody import AccessKind, Bandwidth, Leg
from calls.ids import AgentNumber, CallId, SectionId
from calls.ports import Clock
from calls.transcript import LegTranscript, Span, Word
from qa.rules import packs
from service.cli import main
from service.judging import judge_call
from service.settings import load_settings
from service.wiring import SystemClock
from storage.access import SqlAccessLog
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.transcripts import SqlTranscripts
from storage.work import JUDGEMENT, SqlWork
from storage.work_states import State
from tests.support_callbacks import follow_up
from tests.support_ledger import Ring, story
from tests.support_prepared import prepared

Run = Callable[..., tuple[int, str, str]]
CALL, OTHER = CallId("hotline-1700000000.1"), CallId("hotline-1700000000.2")
ARRIVED = datetime(2026, 11, 20, 2, tzinfo=UTC)
SAID = "这个 不归我们管 我的 电话 是 一三八 一二三四 五六七八"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "centre.toml"
    file.write_text(f'var_dir = "{tmp_path / "var"}"\n', encoding="utf-8")
    (tmp_path / "var").mkdir()
    asyncio.run(fill(file))
    return file


async def fill(config: Path) -> None:
    """One answered call, its agent's leg transcribed and judged, its caller's leg in quarantine."""
    settings = load_settings(config)
    await prepared("sqlite", settings.var_dir)
    engine = open_engine(settings.ledger_url)
    work, clock = SqlWork(engine), SystemClock()
    rings = [Ring("1001", rang=2, answered=5, connected=5.5, ended=40)]
    for call_id in (CALL, OTHER):
        await SqlLedger(engine).record(story(call_id, start=ARRIVED, asked=1, rings=rings, ended=40))
        await work.owe(call_id, ARRIVED)
    words = tuple(Word(text, 5.0 + n, 5.8 + n, 0.97) for n, text in enumerate(SAID.split()))
    leg = LegTranscript(Leg.AGENT, "zh-CN", "vosk", "small", 40.0, Bandwidth.WIDE, (Span(5, 13),), words)
    await SqlTranscripts(engine).store(CALL, leg)
    await SqlTranscripts(engine).store(CALL, replace(leg, leg=Leg.CALLER, words=(), voice=()))
    await work.claim(CALL, Leg.AGENT, "one")
    await work.finish(CALL, Leg.AGENT, State.DONE)
    await work.claim(CALL, Leg.CALLER, "one")
    await work.finish(CALL, Leg.CALLER, State.QUARANTINED, "the worker died while it had this in hand")
    await work.finish(CALL, JUDGEMENT, State.DONE)
    await judge_call(settings, engine, CALL, clock)
    await engine.dispose()


@pytest.fixture
def run(config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*words: str, config: Path = config) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), *words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run_command


def accesses(config: Path) -> list[tuple[AccessKind, str]]:
    async def read() -> list[tuple[AccessKind, str]]:
        engine = open_engine(load_settings(config).ledger_url)
        clock: Clock = SystemClock()
        try:
            return [(each.access.kind, each.access.reason) for each in await SqlAccessLog(engine, clock).entries()]
        finally:
            await engine.dispose()

    return asyncio.run(read())


def test_a_transcript_is_shown_masked_and_that_goes_on_record(run: Run, config: Path) -> None:
    status, out, _ = run("transcripts", "show", CALL)
    assert status == 0 and "不归我们管" in out and "一二三四" not in out
    assert "agent   zh-CN, vosk small" in out and "0:05.0  agent" in out
    status, out, err = run("transcripts", "show", CALL, "--original")
    assert status == 1 and "needs a reason" in err and "一二三四" not in out
    status, out, _ = run("transcripts", "show", CALL, "--original", "--reason", "complaint 7")
    assert status == 0 and "一二三四" in out
    assert accesses(config)[-2:] == [(AccessKind.READ, ""), (AccessKind.READ_ORIGINAL, "complaint 7")]


def test_a_call_without_a_transcript_is_told_so(run: Run) -> None:
    assert run("transcripts", "show", OTHER)[2] == f"sansheng: call {OTHER} has no transcript\n"
    assert "was not judged" in run("verdicts", "show", OTHER)[2]


def test_what_waits_and_what_is_in_quarantine_is_listed_and_owed_again(run: Run) -> None:
    _, out, _ = run("transcripts", "status")
    assert "waiting      3, the oldest since 2026-11-20 10:00; 0 tried" in out and "quarantined  1" in out
    _, out, _ = run("transcripts", "list", "quarantined")
    assert f"2026-11-20 10:00  {CALL}  caller     tried 1  the worker died" in out
    _, out, _ = run("transcripts", "list", "--limit", "1")
    assert out.endswith("1 and more owed\n")
    assert run("transcripts", "retry", CALL)[1] == "1 owed again\n"
    assert run("transcripts", "list", "quarantined")[1] == "0 quarantined\n"
    assert run("transcripts", "retry", CALL, "--done")[1] == "1 owed again\n"
    status, _, err = run("transcripts", "retry", "hotline-9.9")
    assert status == 1 and "hotline-9.9" in err


def test_verdicts_are_shown_with_what_they_rest_on_masked(run: Run) -> None:
    status, out, _ = run("verdicts", "show", CALL)
    assert status == 0 and "zh-CN@" in out
    (line,) = [line for line in out.splitlines() if " no-shirking " in line]
    assert line.startswith("A4") and "broken" in line
    assert "agent 0:06.0 to 0:06.8  “不归我们管”" in out
    assert "Heard: “不归我们管” (100% alike by sound)" in out
    assert "听到“不归我们管”（读音相似度 100%）" in run("verdicts", "show", CALL, "--language", "zh-CN")[1]
    assert "一二三四" not in out


def test_calls_that_broke_a_rule_are_listed_and_counted_by_slice(run: Run) -> None:
    _, out, _ = run("verdicts", "list", "--rule", "no-shirking", "--agent", "1001")
    assert f"2026-11-20 10:00  {CALL}" in out and out.endswith("1 broken\n")
    for other in (
        ["--agent", "1002"],
        ["--until", "2026-11-20"],
        ["--section", "complaint"],
        ["--severity", "minor"],
    ):
        assert run("verdicts", "list", "--rule", "no-shirking", *other)[1] == "0 broken\n"
    _, out, _ = run("verdicts", "summary", "--since", "2026-11-20")
    (line,) = [line for line in out.splitlines() if line.startswith("zh-CN no-shirking ")]
    assert line.split()[2:] == ["1", "0", "0", "0", "100.0%", "of", "1"]
    assert "no-shirking" not in run("verdicts", "summary", "--since", "2026-11-21")[1]
    status, _, err = run("verdicts", "list", "--since", "yesterday")
    assert status == 1 and "'yesterday' is no time" in err


def test_past_calls_are_judged_under_a_new_version_and_old_verdicts_stay(
    run: Run, config: Path, tmp_path: Path
) -> None:
    pack = next(path for path in packs() if path.stem == "zh-CN").read_text(encoding="utf-8")
    changed = pack.replace('version = "1"', 'version = "2"', 1).replace('"不归我们管"', '"归谁管"')
    assert changed.count("归谁管") > pack.count("归谁管")
    file = tmp_path / "zh-CN.toml"
    file.write_text(changed, encoding="utf-8")
    newer = tmp_path / "newer.toml"
    newer.write_text(f'{config.read_text()}[judging]\npacks = ["{file}"]\n', encoding="utf-8")
    _, out, _ = run("rules", "rejudge", "--since", "2026-11-21", config=newer)
    assert out == "0 calls judged by zh-CN@2\n"
    _, out, _ = run("rules", "rejudge", config=newer)
    assert "no-shirking: broken -> kept" in out and out.endswith("1 calls judged by zh-CN@2\n")
    assert run("rules", "rejudge", config=newer)[1] == "1 calls judged by zh-CN@2\n"
    _, out, _ = run("verdicts", "show", CALL, "--all-versions", config=newer)
    assert "zh-CN@1" in out and "zh-CN@2" in out
    assert "zh-CN@1" not in run("verdicts", "show", CALL, config=newer)[1]


def test_rules_of_the_product_pass_their_own_examples(run: Run) -> None:
    assert run("rules", "test")[1] == "no examples failed\n"
    assert run("rules", "check")[1].endswith("no findings\n")
    assert "不归我们管" in run("rules", "explain", "no-shirking")[1]
    status, _, err = run("rules", "explain", "no-such")
    assert status == 1 and "'no-such'" in err


async def call_back(config: Path) -> None:
    """An attempt that was transcribed when nothing judged such calls."""
    engine = open_engine(load_settings(config).ledger_url)
    book, at = SqlCallbacks(engine), ARRIVED
    new = follow_up(SectionId("inquiry"), at, at)
    await book.enlist(new, at)
    taken = await book.take_next(AgentNumber("1001"), None, at)
    assert taken
    words = tuple(Word(text, 5.0 + n, 5.8 + n, 0.97) for n, text in enumerate(SAID.split()))
    leg = LegTranscript(Leg.AGENT, "zh-CN", "vosk", "small", 40.0, Bandwidth.WIDE, (Span(5, 13),), words)
    await SqlTranscripts(engine).store((await book.begin(taken, "hotline", at)).id, leg)
    await engine.dispose()


def test_calls_back_are_judged_afterwards_too(run: Run, config: Path) -> None:
    asyncio.run(call_back(config))
    _, out, _ = run("rules", "rejudge")
    assert "  no-shirking: not judged -> broken\n" in out and "greeting" not in out
    assert out.endswith("2 calls judged by en@1, ko@1, zh-CN@1\n")
    assert run("rules", "rejudge")[1] == "2 calls judged by en@1, ko@1, zh-CN@1\n"
    _, out, _ = run("verdicts", "show", "callback_1.1")
    assert "no-shirking" in out and "greeting" not in out
