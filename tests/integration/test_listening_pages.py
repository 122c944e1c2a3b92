"""Pages about calls: who sees and hears what, what is on record of it, and what leaves the centre (P1, P3, P4)."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import openpyxl
import pytest
import pytest_asyncio

from calls.callbacks import NewCallback, Origin
from calls.custody import Access, AccessKind, Leg
from calls.events import CallbackStep, CallbackStepped, RecordingArrived, Source, SurveyReasonGiven
from calls.ids import AgentNumber, CallId, Language, SectionId, reason_of
from calls.verdicts import Outcome, Severity
from console.open_sounds import IDLE
from console.originals import LASTS
from storage.access import SqlAccessLog
from storage.callbacks import SqlCallbacks
from storage.ledger import SqlLedger
from tests.support_player import NOW, Stage, stage
from tests.support_prepared import dropped, prepared
from tests.support_surveys import surveyed

EVIL = "<img/src=x/onerror=alert(1)>"
SAID = [
    (Leg.AGENT, 0.5, "您好 工号 8001"),
    (Leg.CALLER, 3.2, f"我 的 手机 是 13812345678 {EVIL}"),
    (Leg.AGENT, 9.0, "=cmd 好的"),
]


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[Stage]:
    url = await prepared("sqlite", tmp_path)
    async with stage(url, tmp_path) as made:
        for number, section, agent in ((1, "inquiry", "8001"), (2, "complaint", "8002")):
            call = await made.called(number, section, agent, caller="13900001234" if number == 1 else EVIL)
            await made.recorded(call)
            await made.transcribed(call, SAID, 20)
            await made.judged(call, ("greeting", Outcome.BROKEN, Severity.MAJOR, 9.0))
        yield made
    dropped(url)


class Visitor:
    """Somebody with a browser."""

    def __init__(self, console: Stage, who: str) -> None:
        self._console = console
        self._client = aiohttp.ClientSession(cookies={"who": who}, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Visitor:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self._client.get(self._console.url(path), headers=headers) as answer:
            return answer.status, await answer.text(errors="replace")

    async def bytes_of(self, path: str, wanted: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        sent = ({"Range": wanted} if wanted else {}) | headers
        async with self._client.get(self._console.url(path), headers=sent) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def post(self, path: str, **form: str) -> tuple[int, bytes, dict[str, str]]:
        async with self._client.post(self._console.url(path), data=form, allow_redirects=False) as answer:
            return answer.status, await answer.read(), dict(answer.headers)


async def noted(console: Stage, *kinds: AccessKind) -> list[Access]:
    entries = await SqlAccessLog(console.engine, console.clock).entries()
    return [entry.access for entry in entries if entry.access.kind in kinds]


# ── Reach ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_why_a_caller_was_dissatisfied_is_heard_by_who_reaches_the_call(console: Stage) -> None:
    """A recording of its own, under the rules of the call that it is about (Q2)."""
    call = CallId("1.1")
    why = reason_of(call)
    told = SurveyReasonGiven(call_id=call, at=console.clock.now())
    await SqlLedger(console.engine).record([told])
    await console.recorded(why)
    await console.transcribed(why, SAID, 20)
    async with Visitor(console, "agent") as visitor:
        assert f'href="/calls/{why}"' in (await visitor.get(f"/calls/{call}"))[1]
        status, page = await visitor.get(f"/calls/{why}")
        assert status == 200 and "13812345678" not in page
        assert (await visitor.bytes_of(f"/calls/{why}/sound/caller", "bytes=0-9"))[0] == 206
    async with Visitor(console, "complaints") as visitor:
        for path in ("", "/sound/caller", "/outline/caller"):
            assert (await visitor.bytes_of(f"/calls/{why}{path}", "bytes=0-9"))[0] == 404


async def test_the_recording_of_a_call_back_is_heard_as_any_other_and_is_masked(console: Stage) -> None:
    """The attempt is no call that arrived: its recording has a page under its own id, within reach (A5, P3)."""
    callbacks, now, agent = SqlCallbacks(console.engine), console.clock.now(), AgentNumber("8001")
    inquiry = SectionId("inquiry")
    owed = await callbacks.enlist(
        NewCallback(
            origin=Origin.PROMISE,
            about="1.1",
            telephone="13900001234",
            language=Language("zh-CN"),
            due_at=now + timedelta(hours=2),
            place=now,
            section=inquiry,
            call_id=CallId("1.1"),
        ),
        now,
    )
    taken = await callbacks.take(owed.number, agent, [inquiry], now, "taken")
    attempt = await callbacks.begin(taken, "hotline", now)
    steps = (CallbackStep.AGENT_RANG, CallbackStep.ANSWERED, CallbackStep.CONNECTED, CallbackStep.ENDED)
    told = [
        CallbackStepped(call_id=attempt.id, at=now + timedelta(seconds=n), source=Source.FILE, step=step)
        for n, step in enumerate(steps)
    ]
    recorded = RecordingArrived(
        call_id=attempt.id, at=now + timedelta(seconds=9), duration_s=20, sample_rate_hz=16000, complete=True
    )
    await SqlLedger(console.engine).record([*told, recorded])
    await console.recorded(attempt.id)
    await console.transcribed(attempt.id, SAID, 20)
    async with Visitor(console, "agent") as visitor:
        assert f'href="/calls/{attempt.id}"' in (await visitor.get("/calls/1.1"))[1]
        status, page = await visitor.get(f"/calls/{attempt.id}?lang=en")
        assert status == 200 and "both hear each other" in page and 'href="/calls/1.1"' in page
        assert "139****1234" in page and "13812345678" not in page
        assert (await visitor.bytes_of(f"/calls/{attempt.id}/sound/mixed", "bytes=0-9"))[0] == 206
        assert f"/calls/{attempt.id}?at=" in (await visitor.get("/search?text=工号"))[1], (
            "the index knows whose it is"
        )
        assert attempt.id not in (await visitor.get("/calls"))[1], "it did not arrive"
    async with Visitor(console, "complaints") as visitor:
        for path in ("", "/sound/caller", "/outline/caller"):
            assert (await visitor.bytes_of(f"/calls/{attempt.id}{path}", "bytes=0-9"))[0] == 404
        assert (await visitor.get("/calls/callback_404.1"))[0] == 404
    assert attempt.id in {access.call_id for access in await noted(console, AccessKind.LISTEN)}


@pytest.mark.parametrize(
    "who, mine, others",
    [("complaints", "1.2", "1.1"), ("agent", "1.1", "1.2")],
)
async def test_what_is_out_of_reach_is_as_if_it_did_not_exist(
    console: Stage, who: str, mine: str, others: str
) -> None:
    async with Visitor(console, who) as visitor:
        for path in ("", "/sound/mixed", "/outline/caller"):
            assert (await visitor.bytes_of(f"/calls/{mine}{path}", "bytes=0-9"))[0] in (200, 206)
            for none in (others, "1.404", "nonsense", "..%2F..%2Fetc"):
                assert (await visitor.bytes_of(f"/calls/{none}{path}", "bytes=0-9"))[0] == 404, (none, path)
        _, page = await visitor.get("/calls")
        assert f"/calls/{mine}" in page
        assert f"/calls/{others}" not in page
        _, page = await visitor.get("/search?text=工号")
        assert f"/calls/{mine}?at=" in page
        assert f"/calls/{others}?at=" not in page
    assert {access.call_id for access in await noted(console, AccessKind.READ, AccessKind.LISTEN)} == {mine}


@pytest.mark.parametrize("who", ["ops", "admin"])
async def test_who_has_no_right_to_calls_sees_none(console: Stage, who: str) -> None:
    async with Visitor(console, who) as visitor:
        for path in ("/calls", "/calls/1.1", "/calls/1.1/sound/mixed", "/search?text=您好"):
            assert (await visitor.get(path))[0] == 403
        status, page = await visitor.get("/figures?period=2026-11-22")
        assert status == 200
        assert "/calls?" not in page, "numbers, and no way to the calls behind them"
    assert await noted(console, AccessKind.READ, AccessKind.LISTEN, AccessKind.SEARCH) == []


async def test_figures_of_other_sections_are_out_of_reach(console: Stage) -> None:
    async with Visitor(console, "complaints") as visitor:
        assert (await visitor.get("/figures?period=2026-11-22&section=inquiry"))[0] == 404
        status, page = await visitor.get("/figures?period=2026-11-22&kpi=K1")
    assert status == 200
    assert "section=complaint" in page
    assert "section=inquiry" not in page


# ── Sound ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_ranges_put_together_are_the_masked_sound(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        status, first, headers = await visitor.bytes_of("/calls/1.1/sound/caller", "bytes=0-999")
        assert status == 206
        assert headers["Content-Range"].startswith("bytes 0-999/")
        assert headers["Content-Disposition"] == "inline"
        size = int(headers["Content-Range"].rpartition("/")[2])
        _, rest, _ = await visitor.bytes_of("/calls/1.1/sound/caller", "bytes=1000-")
        _, tail, _ = await visitor.bytes_of("/calls/1.1/sound/caller", "bytes=-100")
        assert (len(first + rest), (first + rest)[-100:]) == (size, tail)
        assert (await visitor.bytes_of("/calls/1.1/sound/caller", f"bytes={size}-"))[0] == 416
    access = Access("test", AccessKind.LISTEN, "test", CallId("1.1"), Leg.CALLER)
    masked = await console.parts.listening.open_masked(CallId("1.1"), Leg.CALLER, access)
    original = await console.custody.open(CallId("1.1"), Leg.CALLER, access)
    with masked, original:
        assert first + rest == masked.read()
        assert first + rest != original.read()


async def test_listening_is_noted_once_however_many_ranges_it_takes(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        for start in range(0, 50_000, 10_000):
            await visitor.bytes_of("/calls/1.1/sound/mixed", f"bytes={start}-{start + 9_999}")
        heard = await noted(console, AccessKind.LISTEN)
        assert [(each.actor, each.call_id, each.leg) for each in heard] == [("monitor", "1.1", Leg.MIXED)]
        await visitor.bytes_of("/calls/1.1/sound/agent", "bytes=0-9")
        console.clock.moment += IDLE + timedelta(seconds=1)
        await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9")
    assert [each.leg for each in await noted(console, AccessKind.LISTEN)] == [Leg.MIXED, Leg.AGENT, Leg.MIXED]


async def test_two_listeners_are_two(console: Stage) -> None:
    for who in ("monitor", "lead"):
        async with Visitor(console, who) as visitor:
            await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9")
    assert [each.actor for each in await noted(console, AccessKind.LISTEN)] == ["monitor", "lead"]


async def test_the_whole_at_once_is_a_download(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed"))[0] == 403
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9", **{"If-Range": '"other"'}))[0] == 403
        _, _, headers = await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9")
        same = {"If-Range": headers["Etag"]}
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9", **same))[0] == 206
        assert (await visitor.bytes_of("/calls/1.1/download/mixed"))[0] == 403
    async with Visitor(console, "lead") as visitor:
        status, body, headers = await visitor.bytes_of("/calls/1.1/download/mixed")
    assert (status, body[:4]) == (200, b"RIFF")
    assert headers["Content-Disposition"] == 'attachment; filename="1.1-mixed.wav"'
    assert [each.actor for each in await noted(console, AccessKind.EXPORT)] == ["lead"]


async def test_what_cannot_be_masked_yet_cannot_be_heard(console: Stage) -> None:
    call = await console.called(3)
    await console.recorded(call)
    async with Visitor(console, "lead") as visitor:
        assert (await visitor.bytes_of("/calls/1.3/sound/mixed", "bytes=0-9"))[0] == 409
        _, page = await visitor.get("/calls/1.3?lang=en")
    assert "Not transcribed yet" in page
    assert "data-silent" in page


async def test_a_deleted_recording_is_gone_in_the_middle_of_listening(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=0-9"))[0] == 206
        await console.custody.bury(CallId("1.1"), Access("service:x", AccessKind.DELETE, "over", CallId("1.1")))
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed", "bytes=10-19"))[0] == 410


# ── The original ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_original_needs_the_right_a_reason_and_lasts_a_while(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        assert (await visitor.post("/calls/1.1/original", reason="a complaint"))[0] == 403
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed?original=1", "bytes=0-9"))[0] == 403
    async with Visitor(console, "lead") as visitor:
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed?original=1", "bytes=0-9"))[0] == 403
        for none in ("", "  ", "x", "y" * 301):
            _, _, headers = await visitor.post("/calls/1.1/original", reason=none)
            assert headers["Location"] == "/calls/1.1?failed=reason"
        assert "13812345678" not in (await visitor.get("/calls/1.1?original=1"))[1]
        assert (await visitor.post("/calls/1.1/original", reason="complaint 2026-7"))[0] == 303
        assert "13812345678" in (await visitor.get("/calls/1.1?original=1"))[1]
        assert "13812345678" not in (await visitor.get("/calls/1.1"))[1]
        assert "13812345678" not in (await visitor.get("/calls/1.2?original=1"))[1], "another call"
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed?original=1", "bytes=0-9"))[0] == 206
        console.clock.moment += LASTS + timedelta(seconds=1)
        assert (await visitor.bytes_of("/calls/1.1/sound/mixed?original=1", "bytes=0-9"))[0] == 403
    originals = await noted(console, AccessKind.READ_ORIGINAL, AccessKind.LISTEN_ORIGINAL)
    assert [(each.kind, each.reason) for each in originals] == [
        (AccessKind.READ_ORIGINAL, "complaint 2026-7"),
        (AccessKind.LISTEN_ORIGINAL, "complaint 2026-7"),
    ]


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_hostile_words_and_numbers_are_shown_as_text(console: Stage) -> None:
    async with Visitor(console, "lead") as visitor:
        await visitor.post("/calls/filters", query="section=inquiry", name=EVIL)
        await visitor.post("/search/filters", query="text=您好", name=EVIL)
        pages = [
            (await visitor.get(path))[1]
            for path in ("/calls", "/calls/1.2", f"/search?text={EVIL}", f"/calls?section={EVIL}&trunk={EVIL}")
        ]
        pages.append((await visitor.get(f"/calls?failed={EVIL}&behind={EVIL}&lang={EVIL}"))[1])
    for page in pages:
        assert EVIL not in page
    assert "&lt;img/src=x/onerror=alert(1)&gt;" in pages[1]


async def test_a_call_page_is_on_record_and_tells_no_number(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        status, page = await visitor.get("/calls/1.1?at=9.5")
    assert status == 200
    assert "139****1234" in page
    for told in ("13900001234", "13812345678"):
        assert told not in page, "not in words, evidence or facts"
    assert 'data-at-s="9.5"' in page
    assert "礼貌问候" in page
    (access,) = await noted(console, AccessKind.READ)
    assert (access.actor, access.call_id) == ("monitor", "1.1")


async def test_why_a_rule_is_broken_is_told_in_the_readers_language(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        _, chinese = await visitor.get("/calls/1.1")
        _, english = await visitor.get("/calls/1.1?lang=en")
    assert '<p class="because" lang="zh-CN">通话开始 12.4 秒内未听到“您好”</p>' in chinese
    assert '<p class="because" lang="en">In the first 12.4 s of the call, not heard: “您好”</p>' in english


async def test_every_search_and_what_it_shows_is_on_record_but_not_what_was_searched_for(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        _, page = await visitor.get("/search?text=工号&speaker=agent")
        assert page.count("?at=0.50") == 2
        assert "<mark>工号</mark>" in page
        for wrong in ("x" * 201, "%20", " ".join("abcdefghijkl")):
            assert (await visitor.get(f"/search?text={wrong}"))[0] == 200
    entries = await noted(console, AccessKind.SEARCH, AccessKind.READ)
    assert [(each.kind, each.call_id) for each in entries] == [
        (AccessKind.SEARCH, None),
        (AccessKind.READ, "1.2"),
        (AccessKind.READ, "1.1"),
    ]
    assert not any("工号" in each.reason for each in entries)


async def test_saved_filters_are_ones_own(console: Stage) -> None:
    async with Visitor(console, "lead") as visitor, Visitor(console, "monitor") as other:
        await visitor.post("/calls/filters", query="section=inquiry&rating=none&nonsense=1", name="  My   calls ")
        _, page = await visitor.get("/calls")
        assert ">My calls</a>" in page
        assert 'href="/calls?section=inquiry&amp;rating=none"' in page
        assert "My calls" not in (await other.get("/calls"))[1]
        await other.post("/calls/filters/1/remove")
        assert "My calls" in (await visitor.get("/calls"))[1]
        for name in ("", "x" * 61, "a\0b"):
            _, _, headers = await visitor.post("/calls/filters", query="", name=name)
            assert headers["Location"].endswith("failed=save")
        for number in ("1", "99", "x", "9" * 30):
            assert (await visitor.post(f"/calls/filters/{number}/remove"))[0] == 303
        assert "My calls" not in (await visitor.get("/calls"))[1]


async def test_a_list_leaves_the_centre_masked_and_on_record(console: Stage) -> None:
    async with Visitor(console, "monitor") as visitor:
        assert (await visitor.post("/calls/export", query="", reason="x", kind="csv"))[0] == 403
    async with Visitor(console, "supervisor") as visitor:
        _, _, headers = await visitor.post("/calls/export", query="section=inquiry", reason=" ", kind="csv")
        assert headers["Location"] == "/calls?section=inquiry&failed=reason"
        status, body, headers = await visitor.post("/calls/export", query="", reason="audit", kind="csv")
        assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="calls.csv"')
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
        assert [row[1] for row in rows[1:]] == ["1.2", "1.1"]
        assert rows[2][2] == "139****1234"
        await SqlLedger(console.engine).record(surveyed("1.1", start=NOW - timedelta(hours=20), level=5))
        query = "rating=dissatisfied"
        _, body, _ = await visitor.post("/calls/export", query=query, reason="audit", kind="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    assert [cell.value for cell in sheet["B"]][1:] == ["1.1"]
    assert [cell.value for cell in sheet["K"]] == ["客户评价", "不满意"]
    assert [each.reason for each in await noted(console, AccessKind.EXPORT)] == [
        "audit (calls, csv)",
        "audit (calls, xlsx)",
    ]


async def test_what_was_said_leaves_as_text_and_never_as_a_formula(console: Stage) -> None:
    async with Visitor(console, "supervisor") as visitor:
        status, body, _ = await visitor.post("/search/export", query="text=好的", reason="audit", kind="csv")
        assert status == 200
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
        assert [row[-1] for row in rows[1:]] == ["'=cmd 好的", "'=cmd 好的"]
        _, body, _ = await visitor.post("/search/export", query="text=好的", reason="audit", kind="xlsx")
        cell = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0].cell(2, 8)
        assert (cell.value, cell.data_type) == ("=cmd 好的", "s")
        for query, reason in (("text=好的", ""), ("text=", "audit")):
            assert (await visitor.post("/search/export", query=query, reason=reason, kind="csv"))[0] == 303
    kinds = [each.call_id for each in await noted(console, AccessKind.READ)]
    assert kinds == ["1.2", "1.1"] * 2, "every call in the file"


async def test_numbers_open_to_the_calls_behind_them(console: Stage) -> None:
    async with Visitor(console, "lead") as visitor:
        _, page = await visitor.get("/figures?period=2026-11-22&kpi=K1&lang=en")
        assert "/calls?kpi=K1&amp;version=1&amp;side=numerator&amp;period=2026-11-22" in page
        _, calls = await visitor.get("/calls?kpi=K1&version=1&side=numerator&period=2026-11-22&section=inquiry")
        assert "/calls/1.1" in calls
        assert "/calls/1.2" not in calls
        _, offers = await visitor.get("/calls?kpi=K2r&side=denominator&period=2026-11-22")
        assert "7.0" in offers
        assert (
            'rel="next" href="/figures?period=2026-11-22' in (await visitor.get("/figures?period=2026-11-21"))[1]
        )
        for version, other in ((2, 1), (1, 2)):
            _, page = await visitor.get(f"/figures?period=2026-11-22&kpi=AHT&version={version}&lang=en")
            assert f"kpi=AHT&amp;version={other}" in page
            assert ("average handle time (talk only)</a> <small>AHT" in page) is (version == 1)
        for now in ("", "grain=month", "period=2026-11-23", "period=2027"):
            _, page = await visitor.get(f"/figures?{now}")
            assert 'rel="prev"' in page
            assert 'rel="next"' not in page, "what has not begun has no figures, and no link leads there"
        for strange in (
            "period=nonsense",
            "grain=year",
            "period=9998",
            "period=1970",
            "kpi=K99",
            "grain=month&kpi=K5",
            "kpi=AHT&version=7",
            "kpi=AHT&version=x",
            "version=1",
        ):
            assert (await visitor.get(f"/figures?{strange}"))[0] == 200, strange
