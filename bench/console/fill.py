"""What simulated calls lack for the console: what was said, what the rules say of it; and one call of an hour."""

from __future__ import annotations

import random

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import AgentNumber, CallId, SectionId
from calls.transcript import Turn, Word
from calls.verdicts import Outcome, Severity
from storage.search import Said, row_of
from storage.search_tables import spoken_turns
from storage.tables import calls
from storage.verdict_tables import verdicts
from tests.support_player import NOW, Stage, write_sound

_SAYINGS = ("您好 请问 有什么 可以 帮您", "我想 退票", "退票费 是 多少", "列车 几点 到", "好的 谢谢", "请 稍等")
_RULES = ("greeting", "agent-number", "closing")


async def judge_and_speak(engine: AsyncEngine, number: int) -> None:
    """Turns, verdicts and callers of the newest ``number`` calls that were answered."""
    dice = random.Random(20_251)
    newest = select(calls).where(calls.c.has_recording).order_by(calls.c.arrived_at.desc()).limit(number)
    async with engine.begin() as connection:
        rows = (await connection.execute(newest)).all()
        said: list[dict[str, object]] = []
        judged: list[dict[str, object]] = []
        for row in rows:
            call = Said(CallId(row.call_id), row.arrived_at, SectionId(row.section), AgentNumber(row.agent))
            words = dice.choice(_SAYINGS).split()
            turn = Turn(Leg.CALLER, tuple(Word(each, i, i + 0.4, 0.9) for i, each in enumerate(words)))
            said.append(row_of(call, turn))
            judged += [_verdict(row.call_id, rule, dice) for rule in _RULES]
        dialled = [{"id": row.call_id, "number": f"1390000{dice.randrange(10_000):04}"} for row in rows]
        named = update(calls).where(calls.c.call_id == bindparam("id")).values(caller=bindparam("number"))
        await connection.execute(named, dialled)
        for start in range(0, len(said), 1000):
            await connection.execute(insert(spoken_turns), said[start : start + 1000])
        for start in range(0, len(judged), 1000):
            await connection.execute(insert(verdicts), judged[start : start + 1000])
        if engine.dialect.name == "postgresql":  # as its own housekeeping does
            await connection.exec_driver_sql("ANALYZE calls, verdicts, spoken_turns")


def _verdict(call_id: str, rule: str, dice: random.Random) -> dict[str, object]:
    return {
        "call_id": call_id,
        "rule_set": "zh-CN@1",
        "rule": rule,
        "requirement": "A2",
        "outcome": dice.choices([Outcome.KEPT, Outcome.BROKEN], [9, 1])[0].value,
        "severity": Severity.MAJOR.value,
        "weight": 1.0,
        "confidence": 0.9,
        "evidence": [],
        "explanation": "",
        "judged_at": NOW,
    }


async def long_call(stage: Stage, number: int, seconds: float) -> CallId:
    """A call so long: sound in the vault, 2.5 words a second, a verdict each minute."""
    call = await stage.called(number)
    folder = stage.settings.recordings_dir / "intake" / call
    folder.mkdir(parents=True)
    for side, leg in enumerate((Leg.CALLER, Leg.AGENT, Leg.MIXED)):
        write_sound(folder / f"{leg}.wav", seconds, None if leg is Leg.MIXED else side)
    await stage.custody.ingest(folder)
    turns = [
        (Leg.AGENT if turn % 2 else Leg.CALLER, 6.0 * turn, " ".join(["请稍等", "好的"] * 7))
        for turn in range(int(seconds / 6))
    ]
    await stage.transcribed(call, turns, seconds)
    marks = [
        (f"rule-{minute}", Outcome.BROKEN, Severity.MINOR, 60.0 * minute) for minute in range(int(seconds / 60))
    ]
    await stage.judged(call, *marks)
    return call
