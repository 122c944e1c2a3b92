"""The form that anybody may fill in, how far a matter has come, and files of cases (C1, C2, C3, P1)."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import text

from calls.attachments import LARGEST
from calls.cases import CaseNumber, Channel, Login
from calls.ids import SectionId
from calls.people import Grant, Role
from console.areas.public_form import SOONEST_S
from console.proofs import Proof, Proofs
from console.throttle import Throttle
from storage.cases import SqlCases
from tests.support_cases import CLOCKS, SHANGHAI, local
from tests.support_chromium import chromium
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

PEOPLE = (*LOGINS, Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, SectionId("complaint")),)))
CLOCK = SetTime(local("2026-11-23 10:00"))
ONE = CaseNumber("TS2026-00001")
TOLD = {
    "type": "facilities",
    "content": "自动扶梯停了三天<script>alert(1)</script>",
    "place": "西站",
    "occurred_at": "2026-11-22T08:30",
    "name": '张三"><img src=x>',
    "contact": "138-0013-8000",
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = local("2026-11-23 10:00")
    async with served(tmp_path, people=PEOPLE, clock=CLOCK) as console:
        yield console


def books(console: ServedConsole) -> SqlCases:
    return SqlCases(console.engine, SHANGHAI, CLOCKS)


async def opened(console: ServedConsole, wait_s: float = SOONEST_S) -> str:
    """The proof in a form that was opened so long ago."""
    status, page = await console.get("", "/form")
    assert status == 200
    found = re.search(r'name="proof" value="([^"]+)"', page)
    assert found
    CLOCK.moment += timedelta(seconds=wait_s)
    return found[1]


async def send(console: ServedConsole, given: str, *files: tuple[str, bytes], **fields: str) -> tuple[int, str]:
    """The form as a browser sends it."""
    form = aiohttp.FormData()
    for name, value in {**TOLD, "proof": given, "website": "", **fields}.items():
        form.add_field(name, value)
    for n, (name, body) in enumerate(files, 1):
        form.add_field(f"file{n}", body, filename=name, content_type="image/png")
    client = await console.client("")
    async with console.form(client, "/form", form) as answer:
        return answer.status, await answer.text()


async def look(console: ServedConsole, number: str, digits: str) -> tuple[int, str]:
    return await console.post("", "/form/status", {"number": number, "digits": digits})


async def test_a_complaint_comes_in_with_a_number_and_an_owner_and_its_files(console: ServedConsole) -> None:
    status, page = await send(console, await opened(console), ("lift.png", PNG), ("virus.exe", b"MZ\x90\x00"))
    assert status == 200 and ONE in page and "virus.exe" in page and "不支持" in page
    case = await books(console).case(ONE)
    assert (case.channel, case.owner, case.registered_late) == (Channel.WEB, Login("chief"), False)
    assert case.content == TOLD["content"] and case.contact == TOLD["contact"] and case.place == "西站"
    status, page = await console.get("chief", f"/files/of/{ONE}")
    (file,) = re.findall(r'href="(/files/[0-9a-f]{32})">lift.png<', page)
    client = await console.client("chief")
    async with client.get(console.url + file) as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with console.engine.connect() as connection:
        said = (await connection.execute(text("SELECT reason FROM access_log WHERE actor = 'chief'"))).scalars()
        assert f"{ONE}: file {file.removeprefix('/files/')}" in set(said)


async def test_nothing_that_was_typed_runs_where_it_is_read(console: ServedConsole) -> None:
    await send(console, await opened(console))
    _, page = await console.get("chief", f"/cases/{ONE}")
    assert "<script>alert(1)" not in page and '"><img' not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "请填写您的姓名"),
        ({"contact": ""}, "请填写联系电话"),
        ({"contact": "12"}, "请填写能打通的电话号码"),
        ({"content": ""}, "请写明事情经过"),
        ({"place": ""}, "请写明地点"),
        ({"content": "长" * 4001}, "控制在 4000 字以内"),
        ({"occurred_at": "2026-11-24T08:30"}, "不能晚于现在"),
        ({"occurred_at": "gestern"}, "时间无法识别"),
        ({"type": "nonsense"}, "请选择一个类别"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    console: ServedConsole, wrong: dict[str, str], said: str
) -> None:
    status, page = await send(console, await opened(console), ("a.png", PNG), **wrong)
    assert status == 422 and said in page and "请重新选择" in page
    for name, value in {**TOLD, **wrong}.items():
        if name not in wrong and name in ("place", "occurred_at"):
            assert f'value="{value}"' in page
    assert "自动扶梯停了三天" in page or "content" in wrong
    again = re.search(r'name="proof" value="([^"]+)"', page)
    assert again
    CLOCK.moment += timedelta(seconds=SOONEST_S)
    status, _ = await send(console, again[1])
    assert status == 200, "once it is put right, it is taken"


async def test_sent_twice_it_is_registered_once(console: ServedConsole) -> None:
    proof = await opened(console)
    first, second = await send(console, proof), await send(console, proof)
    assert first[0] == second[0] == 200 and ONE in second[1]
    assert await books(console).history(CaseNumber("TS2026-00002")) == []


@pytest.mark.parametrize("fields", [{"website": "http://spam.example"}, {"proof": ""}, {"proof": "1.x.y"}])
async def test_programs_are_kept_out(console: ServedConsole, fields: dict[str, str]) -> None:
    status, page = await send(console, await opened(console), **fields)
    assert status in (400, 409) and "已保留" in page
    assert await books(console).history(ONE) == []


async def test_nobody_types_so_fast(console: ServedConsole) -> None:
    status, page = await send(console, await opened(console, wait_s=0.5))
    assert status == 409 and "提交得太快" in page
    assert await books(console).history(ONE) == []


async def test_so_many_from_one_address_and_no_more(console: ServedConsole) -> None:
    answers = [await send(console, await opened(console), content=f"第 {n} 件") for n in range(7)]
    assert [status for status, _ in answers] == [200] * 5 + [429] * 2
    assert "第 6 件" in answers[-1][1]


async def test_a_form_that_is_too_large_is_refused(console: ServedConsole) -> None:
    client = await console.client("")
    headers = {"Origin": console.url, "Content-Type": "application/x-www-form-urlencoded"}
    body = io.BytesIO(bytes(3 * LARGEST + 2**20))
    async with client.post(console.url + "/form", data=body, headers=headers) as answer:
        assert answer.status == 413


async def test_how_far_it_has_come_is_told_to_who_knows_number_and_digits(console: ServedConsole) -> None:
    await send(console, await opened(console))
    status, page = await look(console, ONE.lower(), "8000")
    assert status == 200 and "已登记，等待转办" in page and "扶梯" not in page and "张三" not in page


async def test_a_wrong_number_and_wrong_digits_look_the_same(console: ServedConsole) -> None:
    await send(console, await opened(console))
    pages = [await look(console, number, digits) for number, digits in ((ONE, "0000"), ("TS2026-00009", "8000"))]
    bare = [page.replace("TS2026-00009", ONE) for _, page in pages]
    assert [status for status, _ in pages] == [404, 404] and bare[0] == bare[1]


async def test_digits_cannot_be_guessed(console: ServedConsole) -> None:
    await send(console, await opened(console))
    for guess in range(30):
        CLOCK.moment += timedelta(seconds=60)  # within what one address may
        await look(console, ONE, f"{guess:04}")
    status, page = await look(console, ONE, "8000")
    assert status == 429 and "等待转办" not in page
    CLOCK.moment += timedelta(hours=3)
    assert (await look(console, ONE, "8000"))[0] == 200


async def test_files_are_out_of_reach_for_others(console: ServedConsole) -> None:
    await send(console, await opened(console), ("a.png", PNG))
    _, page = await console.get("chief", f"/files/of/{ONE}")
    file = re.findall(r'href="(/files/[0-9a-f]{32})"', page)[0]
    for login, expected in (("supervisor", 404), ("agent", 404), ("monitor", 403), ("", 303)):
        assert (await console.get(login, file))[0] == expected, login
        assert (await console.get(login, f"/files/of/{ONE}"))[0] == expected, login
    assert (await console.get("chief", "/files/" + "0" * 32))[0] == 404


async def test_a_file_is_added_by_who_works_on_the_case(console: ServedConsole) -> None:
    await send(console, await opened(console))
    client = await console.client("chief")

    async def add(name: str, body: bytes) -> tuple[int, Any]:
        form = aiohttp.FormData()
        form.add_field("file", body, filename=name)
        async with console.form(client, f"/files/of/{ONE}", form) as answer:
            return answer.status, await answer.text()

    assert (await add("receipt.pdf", b"%PDF-1.7 x"))[0] == 303
    status, page = await add("x.html", b"<html>")
    assert status == 422 and "不支持这种文件" in page and "receipt.pdf" in page


async def test_the_form_works_without_scripts_and_reads_well_in_both_languages(console: ServedConsole) -> None:
    async with chromium() as browser:
        for language, word in (("zh-CN", "已收到"), ("en", "Received")):
            page = await console.page(browser, "", "/form", language=language, java_script=False)
            await page.locator("[name=content]").fill("自动扶梯停了三天")
            await page.locator("[name=place]").fill("西站")
            await page.locator("[name=name]").fill("张三")
            await page.locator("[name=contact]").fill("13800138000")
            CLOCK.moment += timedelta(seconds=SOONEST_S)
            await page.get_by_role("button").last.click()
            assert await page.get_by_role("heading", level=1).inner_text() == word, await page.inner_text("main")
            await page.context.close()


def test_a_proof_is_good_for_its_time_only() -> None:
    clock = SetTime(local("2026-11-23 10:00"))
    proofs, others = Proofs(clock, 3), Proofs(clock, 3)
    proof = proofs.make()
    assert proofs.look(proof) is Proof.EARLY and others.look(proof) is Proof.STALE
    clock.moment += timedelta(seconds=3)
    assert proofs.look(proof) is Proof.GOOD and proofs.look(proof + "0") is Proof.STALE
    clock.moment += timedelta(hours=13)
    assert proofs.look(proof) is Proof.STALE
    assert proofs.look("") is proofs.look("ü.ü") is Proof.STALE


def test_permits_come_back_with_time_and_each_key_has_its_own() -> None:
    clock = SetTime(local("2026-11-23 10:00"))
    throttle = Throttle(2, 10, clock)
    assert [throttle.wait_s("a") for _ in range(3)] == [0, 0, 10]
    assert throttle.wait_s("b") == 0 and throttle.spent("a") and not throttle.spent("b")
    clock.moment += timedelta(seconds=4)
    assert throttle.wait_s("a") == 6
    clock.moment -= timedelta(hours=1)
    assert throttle.wait_s("a") == 6, "a clock set back gives nothing"
    clock.moment += timedelta(hours=2)
    assert [throttle.wait_s("a") for _ in range(3)] == [0, 0, 10]
