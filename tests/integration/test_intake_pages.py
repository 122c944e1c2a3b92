"""The public form over a real gate: registered at once, limited, no prey of machines, quiet about others (C1)."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from calls.attachments import LARGEST
from calls.cases import CaseNumber, Channel
from calls.errors import AttachmentRefused
from calls.ids import SectionId
from calls.people import Grant, Role
from console.intake.looking import WRONG_BY_ALL, WRONG_BY_SENDER, network
from console.intake.seal import Sealer
from console.parts import Parts
from service.intake import Scanner
from storage.access import SqlAccessLog
from storage.cases import SqlCases
from storage.work_orders import SqlOrders
from tests.support_cases import local
from tests.support_chromium import chromium, expect
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

NOW = local("2026-11-23 22:15")
CLOCK = SetTime(NOW)
COMPLAINT = {
    "type": "facilities",
    "content": "西站自动扶梯停了三天，推婴儿车上不去。",
    "occurred_at": "2026-11-23T18:30",
    "place": "西站 B 口",
    "name": "张女士",
    "contact": "138 0013 8000",
    "consent": "1",
}
QUESTION = {
    "category": "travel/lost",
    "content": "我在 G123 次 7 车丢了一把伞。",
    "name": "Li",
    "contact": "+86 13900001234",
    "consent": "1",
}
ONE = "TS2026-00001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)
CHIEFS = (
    Somebody("all", "钱主任", (Grant(Role.SUPERVISOR),)),
    Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, SectionId("complaint")),)),
)


def few(parts: Parts) -> Parts:
    return replace(parts, intake=replace(parts.intake, most_by_address=4))


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = NOW
    async with served(tmp_path, people=(*LOGINS, *CHIEFS), clock=CLOCK, change=few) as console:
        yield console


async def opened(console: ServedConsole, kind: str = "complaint", login: str = "") -> str:
    """The mark of a fresh form, which somebody then reads for a minute."""
    status, page = await console.get(login, f"/form/{kind}")
    assert status == 200
    CLOCK.moment += timedelta(minutes=1)
    return found(page, r'name="mark" value="([^"]+)"')


def found(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]


async def sent(
    console: ServedConsole, fields: Mapping[str, str], kind: str = "complaint", mark: str | None = None
) -> tuple[int, str]:
    mark = await opened(console, kind) if mark is None else mark
    return await console.post("", f"/form/{kind}", {**fields, "mark": mark})


async def number_of(console: ServedConsole, location: str) -> str:
    assert location.startswith("/form/receipt?ticket="), location
    _, page = await console.get("", location)
    return found(page, r"((?:TS|GD)\d{4}-\d{5})")


async def test_a_complaint_is_registered_at_once_with_an_owner_and_told_to_nobody(console: ServedConsole) -> None:
    status, location = await sent(console, COMPLAINT)
    assert status == 303
    number = await number_of(console, location)
    case = await SqlCases(console.engine, console.parts.zone, console.parts.case_clocks).case(CaseNumber(number))
    assert (number, case.channel, case.owner) == ("TS2026-00001", Channel.WEB, "chief")
    assert case.arrived_at == case.registered_at == CLOCK.moment and not case.registered_late
    assert (case.contact, case.place, case.content) == ("138 0013 8000", "西站 B 口", COMPLAINT["content"])
    assert case.occurred_at == local("2026-11-23 18:30") and case.section == "complaint"
    assert "13800138000" not in location and "%E5" not in location
    _, listed = await console.get("chief", "/cases")
    assert number in listed


async def test_a_question_becomes_a_work_order_with_its_promise(console: ServedConsole) -> None:
    status, location = await sent(console, QUESTION, "question")
    assert status == 303
    order = await SqlOrders(console.engine, console.parts.zone).order(
        CaseNumber(await number_of(console, location))
    )
    assert (order.number, order.department, order.category) == ("GD2026-00001", "stations", "travel/lost")
    assert order.due_at == CLOCK.moment + timedelta(hours=48) and "2026-11-25 22:16" in order.promise


async def test_a_form_that_is_sent_twice_is_one_complaint(console: ServedConsole) -> None:
    mark = await opened(console)
    answers = await asyncio.gather(*(sent(console, COMPLAINT, mark=mark) for _ in range(3)))
    CLOCK.moment += timedelta(minutes=2)
    answers.append(await sent(console, COMPLAINT, mark=mark))
    assert {await number_of(console, location) for _, location in answers} == {"TS2026-00001"}
    status, page = await sent(console, COMPLAINT | {"content": "另有一事：卫生间没有纸。"}, mark=mark)
    assert status in (409, 429) and "另有一事" in page, "other words under the same form are not thrown away"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", ""),
        *(("content", text) for text in ("", "短", "长" * 4001)),
        *(("contact", text) for text in ("", "abc", "12", "1" * 40)),
        *(("occurred_at", text) for text in ("2026-11-24T00:00", "nonsense", "1900-01-01T00:00")),
        *(("type", text) for text in ("", "arson")),
        *(("consent", text) for text in ("", "0")),
        ("name", " "),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_lost(console: ServedConsole, field: str, value: str) -> None:
    status, page = await sent(console, COMPLAINT | {field: value})
    assert status == 422 and "notice" in page
    assert all(text in page for name, text in COMPLAINT.items() if name in {"name", "place"} - {field})
    assert await nothing_registered(console)


async def nothing_registered(console: ServedConsole) -> bool:
    log = await SqlAccessLog(console.engine, CLOCK).entries(actor="service:web")
    return log == []


async def test_a_form_filled_in_too_fast_or_by_a_machine_comes_back_with_its_words(console: ServedConsole) -> None:
    _, page = await console.get("", "/form/complaint")
    mark = found(page, r'name="mark" value="([^"]+)"')
    status, page = await sent(console, COMPLAINT, mark=mark)
    assert status == 422 and "推婴儿车" in page, "sent within a second"
    status, page = await sent(console, COMPLAINT | {"website": "https://spam.example"})
    assert status == 422 and "推婴儿车" in page
    for forged in ("", "x.y.z", f"{int(NOW.timestamp())}.abc.{'0' * 64}", "9" * 400):
        assert (await sent(console, COMPLAINT, mark=forged))[0] == 422
    mark = await opened(console)
    CLOCK.moment += timedelta(hours=13)
    assert (await sent(console, COMPLAINT, mark=mark))[0] == 422, "the form was open for half a day"
    assert await nothing_registered(console)


async def test_a_mark_is_for_one_visitor_and_one_form(console: ServedConsole) -> None:
    stolen = await opened(console)
    stranger = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    async with stranger, stranger.get(f"{console.url}/form/complaint"):
        fields = {**COMPLAINT, "mark": stolen}
        async with console.form(stranger, "/form/complaint", fields) as answer:
            assert answer.status == 422
    assert (await sent(console, QUESTION, "question", mark=stolen))[0] == 422
    assert await nothing_registered(console)


async def test_a_form_of_another_site_is_not_taken(console: ServedConsole) -> None:
    client = await console.client()
    async with client.get(f"{console.url}/form/complaint"):
        pass
    async with client.post(
        f"{console.url}/form/complaint", data=COMPLAINT, headers={"Origin": "https://x.example"}
    ) as it:
        assert it.status == 403


async def test_a_flood_from_one_address_is_refused_and_ends_with_the_hour(console: ServedConsole) -> None:
    marks = [await opened(console) for _ in range(7)]
    answers = await asyncio.gather(
        *(
            sent(console, COMPLAINT | {"content": f"第 {n} 次反映同一件事"}, mark=mark)
            for n, mark in enumerate(marks)
        )
    )
    assert sorted(status for status, _ in answers) == [303] * 4 + [429] * 3
    assert next(page for status, page in answers if status == 429).count("次反映同一件事") == 1
    CLOCK.moment += timedelta(hours=1)
    assert (await sent(console, COMPLAINT))[0] == 303


async def test_progress_is_told_in_general_words_to_who_knows_number_and_digits(console: ServedConsole) -> None:
    number = await number_of(console, (await sent(console, COMPLAINT))[1])
    status, page = await console.post("", "/form/status", {"number": number.lower(), "digits": "8000"})
    assert status == 200 and "已受理" in page and "2026-11-23" in page
    assert not any(words in page for words in ("张女士", "扶梯", "13800138000", "chief", "138 0013"))
    entries = await SqlAccessLog(console.engine, CLOCK).entries(actor="service:web")
    assert number in entries[-1].access.reason
    order = await number_of(console, (await sent(console, QUESTION, "question"))[1])
    status, page = await console.post("", "/form/status", {"number": order, "digits": "1234"})
    assert status == 200 and "已受理" in page


async def test_a_wrong_number_and_wrong_digits_are_answered_alike(console: ServedConsole) -> None:
    number = await number_of(console, (await sent(console, COMPLAINT))[1])
    told = []
    for asked, digits in ((number, "0000"), ("TS2026-09999", "8000"), ("nonsense\0", "8000"), (number, "")):
        status, page = await console.post("", "/form/status", {"number": asked, "digits": digits})
        assert status == 404
        told.append(re.sub(r'(name="number"|value=|csrf|f-number)[^>]*', "", page))
    assert len(set(told)) == 1


@asynccontextmanager
async def elsewhere(console: ServedConsole, address: str) -> AsyncIterator[Callable[[str, str], Awaitable[int]]]:
    """Looks from another address; what is answered."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as client:
        async with client.get(f"{console.url}/form/status"):
            pass

        async def look(number: str, digits: str) -> int:
            async with console.form(client, "/form/status", {"number": number, "digits": digits}) as answer:
                return int(answer.status)

        yield look


async def test_who_guesses_shuts_out_themselves_and_nobody_else(console: ServedConsole) -> None:
    number = await number_of(console, (await sent(console, COMPLAINT))[1])
    async with elsewhere(console, "127.0.0.2") as stranger, elsewhere(console, "127.0.0.3") as owner:
        answers = await asyncio.gather(*(stranger(number, f"{n:04}") for n in range(WRONG_BY_SENDER + 4)))
        assert sorted(answers) == [404] * WRONG_BY_SENDER + [429] * 4, "also of many at once"
        assert await stranger(number, "8000") == 429, "they learn nothing, right or wrong"
        assert await owner(number, "8000") == 200, "from another telephone"
        CLOCK.moment += timedelta(days=1)
        assert await stranger(number, "0000") == 404


async def test_many_who_guess_together_get_nowhere_and_the_owner_in(console: ServedConsole) -> None:
    number = await number_of(console, (await sent(console, COMPLAINT))[1])
    async with elsewhere(console, "127.0.0.2") as before:
        assert await before(number, "8000") == 200
        senders = WRONG_BY_ALL // WRONG_BY_SENDER
        for n in range(senders):
            async with elsewhere(console, f"127.0.1.{n + 1}") as stranger:
                answers = [await stranger(number, f"{guess:04}") for guess in range(WRONG_BY_SENDER)]
                assert answers == [404] * WRONG_BY_SENDER
        async with elsewhere(console, "127.0.0.9") as stranger:
            assert await stranger(number, "8000") == 429, "nobody new is let in this week"
        assert await before(number, "8000") == 200, "who had the digits right before"
        assert (await console.post("", "/form/status", {"number": number, "digits": "8000"}))[0] == 200, (
            "who sent the form"
        )
        CLOCK.moment += timedelta(days=7)
        async with elsewhere(console, "127.0.0.9") as owner:
            assert await owner(number, "8000") == 200


async def test_one_address_does_not_look_through_all_numbers(console: ServedConsole) -> None:
    await console.get("", "/form/status")
    statuses = [
        (await console.post("", "/form/status", {"number": f"TS2026-{n:05}", "digits": "8000"}))[0]
        for n in range(32)
    ]
    assert statuses == [404] * 30 + [429] * 2


async def test_a_receipt_is_shown_to_who_has_its_ticket_only(console: ServedConsole) -> None:
    for ticket in ("", "1.TS2026-00001.0", Sealer(b"x" * 32).mark("receipt", NOW, "TS2026-00001")):
        status, location = await console.get("", f"/form/receipt?ticket={ticket}")
        assert status == 303 and "TS2026" not in location


async def test_hostile_words_are_shown_as_words(console: ServedConsole) -> None:
    hostile = '"><script>alert(1)</script>{{7*7}}\0\u202e'
    fields = COMPLAINT | {"name": hostile, "place": hostile, "content": hostile * 2, "type": hostile}
    status, page = await sent(console, fields)
    assert status == 422 and "<script>alert" not in page and "49" not in found(page, r"(&lt;script.{60})")
    status, location = await sent(console, fields | {"type": "other"})
    number = await number_of(console, location)
    _, page = await console.get("chief", f"/cases/{number}")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


async def test_what_is_too_large_is_refused_unread(console: ServedConsole) -> None:
    client = await console.client("")
    headers = {"Origin": console.url, "Content-Type": "application/x-www-form-urlencoded"}
    body = io.BytesIO(bytes(3 * LARGEST + 2**20))
    async with client.post(console.url + "/form/complaint", data=body, headers=headers) as answer:
        assert answer.status == 413


async def with_files(console: ServedConsole, *files: tuple[str, bytes], **changed: str) -> tuple[int, str]:
    """The form with files, as a browser sends it."""
    form = aiohttp.FormData()
    for name, value in {**COMPLAINT, "mark": await opened(console), **changed}.items():
        form.add_field(name, value)
    for n, (name, body) in enumerate(files, 1):
        form.add_field(f"file{n}", body, filename=name, content_type="image/png")
    client = await console.client("")
    async with console.form(client, "/form/complaint", form) as answer:
        return answer.status, answer.headers.get("Location") or await answer.text()


async def test_files_come_with_a_complaint_and_what_cannot_be_taken_is_said(console: ServedConsole) -> None:
    status, page = await with_files(console, ("lift.png", PNG), ("virus.exe", b"MZ\x90\x00"))
    assert status == 200 and ONE in page and "virus.exe" in page and "不支持" in page
    _, page = await console.get("chief", f"/files/of/{ONE}")
    (file,) = re.findall(r'href="(/files/[0-9a-f]{32})">lift.png<', page)
    client = await console.client("chief")
    async with client.get(console.url + file) as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    entries = await SqlAccessLog(console.engine, CLOCK).entries(actor="chief")
    assert f"{ONE}: file {file.removeprefix('/files/')}" in {entry.access.reason for entry in entries}
    for login, expected in (("supervisor", 404), ("agent", 404), ("monitor", 403), ("", 303)):
        assert (await console.get(login, file))[0] == expected, login
        assert (await console.get(login, f"/files/of/{ONE}"))[0] == expected, login
    assert (await console.get("chief", "/files/" + "0" * 32))[0] == 404
    status, page = await with_files(console, ("a.png", PNG), name="")
    assert status == 422 and "请重新选择" in page


async def test_a_file_is_added_by_who_works_on_the_case(console: ServedConsole) -> None:
    await sent(console, COMPLAINT)
    client = await console.client("chief")

    async def add(name: str, body: bytes) -> tuple[int, str]:
        form = aiohttp.FormData()
        form.add_field("file", body, filename=name)
        async with console.form(client, f"/files/of/{ONE}", form) as answer:
            return answer.status, await answer.text()

    assert (await add("../../etc/receipt.pdf", b"%PDF-1.7 x"))[0] == 303
    status, page = await add("x.html", b"<html>")
    assert status == 422 and "不支持这种文件" in page and "receipt.pdf" in page and "../" not in page
    _, page = await console.get("chief", f"/cases/{ONE}")
    row = page[page.index("receipt.pdf") :].partition("</tr>")[0]
    assert "PDF" in row and "1 KB" in row and "chief" in row and f'action="/files/of/{ONE}"' in page


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("grep", "-qv", "EICAR"), ""),
        (("sh", "-c", "cat >/dev/null; exit 1"), "harmful"),
        (("sh", "-c", "exit 2"), "unscanned"),
        (("/no/such/scanner",), "unscanned"),
        (("sleep", "60"), "unscanned"),
    ],
)
async def test_a_scanner_says_whether_a_file_is_kept(command: tuple[str, ...], why: str) -> None:
    scan = Scanner(command, 0.5 if command[0] == "sleep" else 60)
    if not why:
        await scan(PNG + b"\nharmless\n")
        return
    with pytest.raises(AttachmentRefused) as refused:
        await scan(PNG)
    assert refused.value.why == why


async def test_a_complaint_in_a_browser_without_scripts_in_both_languages(console: ServedConsole) -> None:
    async with chromium() as browser:
        for language, word in (("zh-CN", "已受理"), ("en", "Received")):
            page = await console.page(browser, "", "/form", language=language, java_script=False)
            await page.locator("main a.button").first.click()
            for name in ("content", "place", "name", "contact"):
                await page.locator(f"[name={name}]").fill(COMPLAINT[name])
            await page.locator("[name=type]").select_option("safety")
            await page.locator("[name=consent]").check()
            CLOCK.moment += timedelta(seconds=30)
            await page.locator("main form button").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(word)
            await page.context.close()


async def test_both_languages_and_no_script_needed(console: ServedConsole) -> None:
    status, page = await console.get("", "/form/complaint?lang=en")
    assert status == 200 and "Complaint or suggestion" in page and "hx-" not in page.split("<main", 1)[1]
    for path in ("/form", "/form/question", "/form/status"):
        assert (await console.get("", path))[0] == 200
    assert (await console.get("", "/form/other"))[0] == 404


async def test_a_form_that_is_turned_off_is_not_there(tmp_path: Path) -> None:
    def off(parts: Parts) -> Parts:
        return replace(parts, intake=replace(parts.intake, enabled=False))

    async with served(tmp_path, clock=CLOCK, change=off) as console:
        assert (await console.get("", "/form"))[0] == 404


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_household_is_one_sender(address: str, counted: str) -> None:
    assert network(address) == counted
