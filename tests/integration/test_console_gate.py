"""The gate over real sockets: who is let in, for how long, and what is believed of what they send (P1)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pyotp
import pytest
import pytest_asyncio
from aiohttp import web
from argon2 import PasswordHasher
from sqlalchemy import func, select
from yarl import URL

from calls.accounts import FailedAt, FailedSignIn
from calls.custody import Access, AccessKind
from calls.errors import StorageUnavailable
from calls.ids import SectionId
from calls.people import Grant, Right, Role
from console import gate as gate_module
from console.areas.login import Login
from console.ask import Ask
from console.doorkeeper import From, csrf_of, hashed
from console.limits import Limits
from console.parts import Parts
from console.passwords import Passwords
from console.routes import Open, Route, get, post
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.people_tables import failed_sign_ins
from tests.support_console import PASSWORD, ServedConsole, SetTime, served
from tests.support_prepared import prepared

T0 = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
NOTED = Access("service:tests", AccessKind.PEOPLE, "for a test")
NEW_PASSWORD = "another long sentence of mine"


@pytest.fixture
def clock() -> SetTime:
    return SetTime(T0)


@pytest_asyncio.fixture
async def console(tmp_path: Path, clock: SetTime) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, clock=clock) as console:
        yield console


async def log_in(
    console: ServedConsole, login: str, password: str, client: aiohttp.ClientSession | None = None
) -> int:
    """One attempt by the form, in a fresh browser or a given one; its status."""
    client = client or await fresh(console)
    async with console.form(client, "/login", {"login": login, "password": password}) as answer:
        return int(answer.status)


async def fresh(console: ServedConsole) -> aiohttp.ClientSession:
    """A browser that has seen the form."""
    client = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    console.keep(client)
    async with client.get(f"{console.url}/login"):
        return client


def cookie(client: aiohttp.ClientSession) -> str:
    return next((one.value for one in client.cookie_jar if one.key == "sansheng"), "")


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_is_sent_to_the_login_and_back_again(console: ServedConsole) -> None:
    client = await fresh(console)
    async with client.get(f"{console.url}/account?x=1", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/account%3Fx%3D1")
    async with client.get(f"{console.url}/login?next=/account%3Fx%3D1") as answer:
        assert 'name="next" value="/account?x=1"' in await answer.text()
    fields = {"login": " Monitor", "password": PASSWORD, "next": "/account?x=1"}
    async with console.form(client, "/login", fields) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/account?x=1")
    async with client.get(f"{console.url}/account") as answer:
        assert "张敏" in await answer.text()


@pytest.mark.parametrize(
    "wished",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
        "/logout",
        "x",
    ],
)
async def test_after_signing_in_nobody_is_sent_to_another_site(console: ServedConsole, wished: str) -> None:
    fields = {"login": "monitor", "password": PASSWORD, "next": wished}
    async with console.form(await fresh(console), "/login", fields) as answer:
        assert answer.headers["Location"] == "/"


async def test_each_role_starts_somewhere_it_may_be(console: ServedConsole) -> None:
    for login in ("agent", "monitor", "lead", "supervisor", "ops", "admin"):
        client = await console.client(login)
        async with client.get(console.url + "/") as answer:
            assert answer.status == 200, login


async def test_a_wrong_name_and_a_wrong_password_look_the_same(console: ServedConsole) -> None:
    answers = []
    for login in ("monitor", "nobody-here"):
        async with console.form(await fresh(console), "/login", {"login": login, "password": "x" * 12}) as answer:
            text = (await answer.text()).replace(login, "…")
            answers.append(
                (answer.status, text.split("<main")[1].split('name="csrf"')[0], "Retry-After" in answer.headers)
            )
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_the_same_work_is_done_for_who_does_not_exist(
    console: ServedConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    passwords = console.parts.doorkeeper.passwords
    monkeypatch.setattr(passwords, "_fits", lambda password, kept: bool(looked.append(kept)))
    for login in ("monitor", "nobody-here", "not a login!"):
        assert await log_in(console, login, PASSWORD) == 401
    assert len(looked) == 3
    assert all(kept.startswith("$argon2id$") for kept in looked)


async def test_a_session_that_was_planted_is_not_used(console: ServedConsole) -> None:
    """Fixation: whatever cookie the browser brought, signing in makes a new one and ends the old."""
    attacker, victim = await fresh(console), await fresh(console)
    assert await log_in(console, "monitor", PASSWORD, attacker) == 303
    planted = cookie(attacker)
    victim.cookie_jar.update_cookies({"sansheng": planted}, URL(console.url))
    assert await log_in(console, "lead", PASSWORD, victim) == 303
    assert cookie(victim) != planted
    async with attacker.get(f"{console.url}/account", allow_redirects=False) as answer:
        assert answer.status == 303, "the planted session is over"
    for made_up in ("", "x", "0" * 43, "x" * 5000, "../../etc", "%00"):
        victim.cookie_jar.update_cookies({"sansheng": made_up}, URL(console.url))
        async with victim.get(f"{console.url}/account", allow_redirects=False) as answer:
            assert answer.status in (303, 400), made_up


async def test_secrets_are_kept_hashed_and_cookies_out_of_reach(console: ServedConsole) -> None:
    client = await fresh(console)
    async with console.form(client, "/login", {"login": "monitor", "password": PASSWORD}) as answer:
        told = answer.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    assert "Path=/" in told
    [session] = await console.parts.doorkeeper.sessions.of("monitor")
    assert session.id == hashed(cookie(client))
    account = await console.parts.doorkeeper.people.find("monitor")
    assert account
    assert (account.password_hash or "").startswith("$argon2id$")
    assert "argon2" not in repr(account)


# ── Guessing ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("login", ["monitor", "nobody-here"])
async def test_who_guesses_waits_longer_and_longer(console: ServedConsole, clock: SetTime, login: str) -> None:
    client = await fresh(console)
    for _ in range(4):
        assert await log_in(console, login, "wrong wrong wrong", client) == 401
    waits = []
    for _ in range(7):
        async with console.form(client, "/login", {"login": login, "password": "wrong wrong wrong"}) as answer:
            assert answer.status == 429
            waits.append(int(answer.headers["Retry-After"]))
        async with console.form(client, "/login", {"login": login, "password": PASSWORD}) as answer:
            assert answer.status == 429, "not even the right one is looked at before its time"
        clock.moment += timedelta(seconds=waits[-1])
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    clock.moment += timedelta(hours=2)
    assert await log_in(console, login, PASSWORD) == (303 if login == "monitor" else 401)


async def test_many_guesses_at_once_are_counted_one_by_one(console: ServedConsole) -> None:
    clients = [await fresh(console) for _ in range(12)]
    tried = await asyncio.gather(*(log_in(console, "lead", f"wrong wrong {n}", c) for n, c in enumerate(clients)))
    assert tried.count(401) == 4


async def test_guesses_from_one_address_for_many_names_are_slowed_down(console: ServedConsole) -> None:
    client = await fresh(console)
    tried = [await log_in(console, f"name-{n}", "wrong wrong wrong", client) for n in range(52)]
    assert tried[:49] == [401] * 49
    assert tried[-1] == 429


async def test_a_long_password_is_not_hashed(console: ServedConsole) -> None:
    assert await log_in(console, "monitor", "x" * 100_000) == 401


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_ends_when_it_is_not_used_and_after_its_time(
    console: ServedConsole, clock: SetTime
) -> None:
    await console.client("monitor")
    for _ in range(25):
        clock.moment += timedelta(minutes=28)
        assert (await console.get("monitor", "/account"))[0] == 200
    clock.moment += timedelta(minutes=20)
    assert (await console.get("monitor", "/account"))[0] == 303, "twelve hours are over"
    await console.client("lead")
    clock.moment += timedelta(minutes=31)
    assert (await console.get("lead", "/account"))[0] == 303, "half an hour without use is over"


async def test_signing_out_ends_the_session_in_the_books(console: ServedConsole) -> None:
    client = await console.client("monitor")
    kept = cookie(client)
    assert await console.post("monitor", "/logout") == (303, "/login")
    async with client.get(
        f"{console.url}/account", headers={"Cookie": f"sansheng={kept}"}, allow_redirects=False
    ) as a:
        assert a.status == 303


async def test_other_roles_mean_another_session(console: ServedConsole) -> None:
    assert (await console.get("monitor", "/board"))[0] == 200
    people = console.parts.doorkeeper.people
    await people.regrant("monitor", [Grant(Role.AGENT, SectionId("inquiry"))], NOTED)
    assert (await console.get("monitor", "/board", Accept="text/html"))[0] == 303
    assert (await console.get("monitor", "/board", **{"Sec-Fetch-Mode": "cors"}))[0] == 401


async def test_who_is_disabled_is_out_at_once(console: ServedConsole) -> None:
    assert (await console.get("monitor", "/account"))[0] == 200
    await console.parts.doorkeeper.people.disable("monitor", NOTED)
    assert (await console.get("monitor", "/account"))[0] == 303
    assert await log_in(console, "monitor", PASSWORD) == 401
    await console.parts.doorkeeper.people.enable("monitor", NOTED)
    assert await log_in(console, "monitor", PASSWORD) == 303


async def test_a_new_password_ends_every_other_session(console: ServedConsole) -> None:
    elsewhere = await fresh(console)
    assert await log_in(console, "monitor", PASSWORD, elsewhere) == 303
    client = await console.client("monitor")
    before = cookie(client)
    fields = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert await console.post("monitor", "/account/password", fields) == (303, "/account")
    assert cookie(client) not in ("", before)
    assert (await console.get("monitor", "/account"))[0] == 200
    async with elsewhere.get(f"{console.url}/account", allow_redirects=False) as answer:
        assert answer.status == 303
    assert await log_in(console, "monitor", PASSWORD) == 401
    assert await log_in(console, "monitor", NEW_PASSWORD) == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "密码不正确"),
        (PASSWORD, NEW_PASSWORD, "another", "两次输入不一致"),
        (PASSWORD, "short", "short", "密码太短"),
        (PASSWORD, PASSWORD, PASSWORD, "与当前密码相同"),
        (PASSWORD, "monitor-monitor", "monitor-monitor", "太接近"),
    ],
)
async def test_a_password_that_is_not_taken_says_why(
    console: ServedConsole, old: str, new: str, again: str, says: str
) -> None:
    fields = {"old": old, "new": new, "again": again}
    status, text = await console.post("monitor", "/account/password", fields)
    assert status == 400
    assert says in text
    assert new not in text or new == "short"


async def test_a_borrowed_password_opens_only_the_page_where_it_is_changed(console: ServedConsole) -> None:
    keeper = console.parts.doorkeeper
    kept = await keeper.passwords.hash(PASSWORD)
    await keeper.people.set_password("monitor", kept, NOTED, must_change=True)
    for path in ("/", "/account", "/account/code", "/board"):
        status, _ = await console.get("monitor", path)
        assert status == 303, path
    client = await console.client("monitor")
    async with client.get(f"{console.url}/board") as answer:
        assert answer.url.path == "/account/password"
    assert (await console.get("monitor", "/api/v1/kpi"))[0] == 403
    fields = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert (await console.post("monitor", "/account/password", fields))[0] == 303
    assert (await console.get("monitor", "/board"))[0] == 200


# ── Second factor ────────────────────────────────────────────────────────────────────────────────────────────


async def with_code(console: ServedConsole, clock: SetTime, login: str = "monitor") -> pyotp.TOTP:
    """The monitor, or somebody else, has set a second factor up."""
    _, text = await console.get(login, "/account/code")
    secret = text.split('name="secret" value="')[1].split('"')[0]
    otp = pyotp.TOTP(secret)
    fields = {"secret": secret, "code": otp.at(clock.moment), "password": PASSWORD}
    assert await console.post(login, "/account/code", fields) == (303, "/account")
    return otp


async def test_with_a_second_factor_the_password_alone_opens_nothing(
    console: ServedConsole, clock: SetTime
) -> None:
    otp = await with_code(console, clock)
    client = await fresh(console)
    async with console.form(client, "/login", {"login": "monitor", "password": PASSWORD}) as answer:
        assert answer.headers["Location"] == "/login/code?next=/"
    half = cookie(client)
    async with client.get(f"{console.url}/account", allow_redirects=False) as answer:
        assert answer.status == 303
    async with console.form(client, "/login/code", {"code": "000000"}) as answer:
        assert answer.status == 401
    async with console.form(client, "/login/code", {"code": otp.at(clock.moment)}) as answer:
        assert answer.status == 401, "it was used when the factor was set up: never twice"
    clock.moment += timedelta(seconds=30)
    async with console.form(client, "/login/code", {"code": otp.at(clock.moment)}) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert cookie(client) != half
    async with client.get(f"{console.url}/account", allow_redirects=False) as answer:
        assert answer.status == 200


async def test_a_code_is_taken_once_by_whoever_comes_first(console: ServedConsole, clock: SetTime) -> None:
    otp = await with_code(console, clock)
    clock.moment += timedelta(seconds=60)
    keeper = console.parts.doorkeeper
    account = await keeper.people.find("monitor")
    assert account
    taken = await asyncio.gather(*(keeper.is_code(account, otp.at(clock.moment)) for _ in range(5)))
    assert sorted(taken) == [False, False, False, False, True]


async def test_codes_are_guessed_as_slowly_as_passwords(console: ServedConsole, clock: SetTime) -> None:
    await with_code(console, clock)
    client = await fresh(console)
    assert await log_in(console, "monitor", PASSWORD, client) == 303
    statuses = []
    for n in range(6):
        async with console.form(client, "/login/code", {"code": f"00000{n}"}) as answer:
            statuses.append(answer.status)
    assert statuses == [401] * 4 + [429] * 2
    clock.moment += timedelta(minutes=6)
    async with console.form(client, "/login/code", {"code": "000000"}) as answer:
        assert answer.status == 403, "the half of a session is over after five minutes"
    async with client.get(f"{console.url}/login/code") as answer:
        assert answer.url.path == "/login"


async def test_the_second_factor_is_sealed_and_dropped_with_the_password(
    console: ServedConsole, clock: SetTime
) -> None:
    otp = await with_code(console, clock)
    account = await console.parts.doorkeeper.people.find("monitor")
    assert account
    assert account.code_sealed
    assert otp.secret.encode() not in account.code_sealed
    assert (await console.post("monitor", "/account/code/off", {"password": "wrong"}))[0] == 400
    assert await console.post("monitor", "/account/code/off", {"password": PASSWORD}) == (303, "/account")
    assert await log_in(console, "monitor", PASSWORD) == 303


@pytest.mark.parametrize("role", [Role.MONITOR, Role.ADMIN])
async def test_a_role_that_needs_a_second_factor_opens_nothing_before_it_is_set_up(
    tmp_path: Path, clock: SetTime, role: Role
) -> None:
    settings = Settings.model_validate({"var_dir": tmp_path, "console": {"second_factor_roles": [role]}})
    async with served(tmp_path, clock=clock, settings=settings, url=await prepared("sqlite", tmp_path)) as console:
        login = role.value
        for path in ("/", "/account", "/calls", "/people", "/search"):
            assert (await console.get(login, path))[0] == 303, path
            assert (await answer_of(console, login, path)).headers["Location"] == "/account/code", path
        assert (await answer_of(console, login, "/api/v1/kpi")).status == 403
        assert (await answer_of(console, login, "/account/sessions/end", {})).headers[
            "Location"
        ] == "/account/code"
        assert (await answer_of(console, "lead", "/account")).status == 200, "other roles are not asked"
        await with_code(console, clock, login)
        assert (await answer_of(console, login, "/account")).status == 200
        assert (await console.post(login, "/account/code/off", {"password": PASSWORD}))[0] == 403
        noted = Access("admin", AccessKind.PEOPLE, "telephone lost")
        await console.parts.doorkeeper.people.set_code(login, None, None, noted)
        assert (await answer_of(console, login, "/account")).headers["Location"] == "/account/code"


async def answer_of(
    console: ServedConsole, login: str, path: str, form: dict[str, str] | None = None
) -> aiohttp.ClientResponse:
    """The head of an answer to somebody who has signed in."""
    client = await console.client(login)
    if form is not None:
        async with console.form(client, path, form) as answer:
            return answer
    async with client.get(console.url + path, allow_redirects=False) as answer:
        return answer


async def test_failed_sign_ins_are_listed_by_known_names_and_forgotten_in_time(
    console: ServedConsole, clock: SetTime
) -> None:
    await with_code(console, clock)
    assert await log_in(console, "lead", "wrong") == 401
    assert await log_in(console, "my secret passphrase", "x") == 401
    client = await fresh(console)
    assert await log_in(console, "monitor", PASSWORD, client) == 303
    async with console.form(client, "/login/code", {"code": "000000"}) as answer:
        assert answer.status == 401
    status, page = await console.get("admin", "/access-log/failed")
    rows = page.split("<tbody>")[1].split("<tr>")[1:]
    assert status == 200 and len(rows) == 3
    assert "<small>monitor</small>" in rows[0] and "两步验证" in rows[0] and "127.0.0.1" in rows[0]
    assert "未知用户名" in rows[1] and "passphrase" not in page
    assert "<small>lead</small>" in rows[2] and "2026-11-24 10:00:00" in rows[2]
    _, page = await console.get("admin", "/access-log/failed?login=lead")
    assert page.count("<small>lead</small>") == 1 and "<small>monitor</small>" not in page
    entries = await SqlAccessLog(console.engine, clock).entries()
    assert entries[-1].access == Access("admin", AccessKind.SEE_LOG, "failed sign-ins of lead")
    for _ in range(51):
        await console.parts.doorkeeper.failed.add(FailedSignIn(clock.moment, "ops", "10.0.0.1", FailedAt.PASSWORD))
    _, page = await console.get("admin", "/access-log/failed")
    following = re.search(r'href="([^"]*before=[^"]*)"[^>]*rel="next"', page)
    assert following is not None and page.count("10.0.0.1") == 50
    _, page = await console.get("admin", following[1].replace("&amp;", "&"))
    assert page.count("10.0.0.1") == 1 and "<small>lead</small>" in page
    assert (await console.get("lead", "/access-log/failed"))[0] == 403
    clock.moment += timedelta(days=91)
    await console.parts.doorkeeper.failed.add(FailedSignIn(clock.moment, None, "10.0.0.2", FailedAt.PASSWORD))
    async with console.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(failed_sign_ins)) == 1, "90 days are over"


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


async def token_of(console: ServedConsole, login: str, rights: set[Right], days: int = 7) -> tuple[int, str]:
    keeper = console.parts.doorkeeper
    owner = await keeper.people.find(login)
    assert owner
    return await keeper.make_token(owner, "a test", frozenset(rights), days, "admin")


async def bearer(console: ServedConsole, token: str, path: str) -> int:
    client = await fresh(console)
    headers = {"Authorization": f"Bearer {token}"}
    async with client.get(console.url + path, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def test_a_token_opens_the_api_for_what_it_was_made_for(console: ServedConsole, clock: SetTime) -> None:
    number, token = await token_of(console, "monitor", {Right.SEE_FIGURES})
    _, live = await token_of(console, "monitor", {Right.SEE_LIVE})
    assert await bearer(console, token, "/api/v1/kpi/catalogue") == 200
    assert await bearer(console, live, "/api/v1/kpi/catalogue") == 403
    assert await bearer(console, token, "/live") == 403
    assert await bearer(console, token, "/account") == 303, "pages take no tokens"
    for wrong in ("", "sansheng_", token[:-1], token + "x", "Basic " + token, "x" * 5000):
        assert await bearer(console, wrong, "/api/v1/kpi/catalogue") == 401
    noted = Access("monitor", AccessKind.PEOPLE, "test")
    assert not await console.parts.doorkeeper.tokens.revoke(number, "lead", noted), "somebody else's"
    assert await console.post("lead", f"/account/tokens/{number}/revoke") != (303, "/account")
    assert await console.post("monitor", f"/account/tokens/{number}/revoke") == (303, "/account")
    assert await bearer(console, token, "/api/v1/kpi/catalogue") == 401


async def test_a_token_ends_with_its_day_its_owner_and_its_owners_rights(
    console: ServedConsole, clock: SetTime
) -> None:
    _, token = await token_of(console, "monitor", {Right.SEE_FIGURES}, days=7)
    people = console.parts.doorkeeper.people
    await people.regrant("monitor", [Grant(Role.AGENT)], NOTED)
    assert await bearer(console, token, "/api/v1/kpi/catalogue") == 403
    await people.regrant("monitor", [Grant(Role.OPS)], NOTED)
    assert await bearer(console, token, "/api/v1/kpi/catalogue") == 200
    clock.moment += timedelta(days=7)
    assert await bearer(console, token, "/api/v1/kpi/catalogue") == 401
    _, other = await token_of(console, "lead", {Right.SEE_FIGURES})
    await people.disable("lead", NOTED)
    await people.enable("lead", NOTED)
    assert await bearer(console, other, "/api/v1/kpi/catalogue") == 401, "disabling revoked it for good"


# ── What is sent ─────────────────────────────────────────────────────────────────────────────────────────────


class Echo:
    """Says what a form said."""

    def __init__(self, parts: Parts) -> None:
        pass

    def routes(self) -> list[Route]:
        return [
            get("/echo", Open.SIGNED_IN, self.echo),
            post("/echo", Open.SIGNED_IN, self.echo),
            get("/fails", Open.SIGNED_IN, self.fail),
        ]

    async def echo(self, ask: Ask) -> web.Response:
        assert "Cookie" not in ask.headers
        files = {name: (up.name, up.content_type, len(up.body)) for name, up in ask.uploads.items()}
        fields = {name: value for name, value in ask.form.items() if name != "csrf"}
        return web.json_response({"fields": fields, "files": files, "body": len(ask.body)})

    async def fail(self, ask: Ask) -> web.Response:
        raise RuntimeError("a secret of the inside")


@pytest_asyncio.fixture
async def echo(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, areas=lambda parts: [Login(parts), Echo(parts)]) as console:
        yield console


async def test_forms_and_files_arrive_as_they_were_sent(echo: ServedConsole) -> None:
    client = await echo.client("monitor")
    data = aiohttp.FormData({"name": "王 & <b>", "csrf": echo.token(client)}, quote_fields=False)
    data.add_field("file", bytes(range(256)) * 100, filename="../../etc/x.wav", content_type="audio/wav")
    headers = {"Origin": echo.url}
    async with client.post(f"{echo.url}/echo", data=data, headers=headers) as answer:
        said = await answer.json()
    assert said["fields"] == {"name": "王 & <b>"}
    assert said["files"] == {"file": ["../../etc/x.wav", "audio/wav", 25_600]}
    async with client.post(
        f"{echo.url}/echo", data={"a": "1", "csrf": echo.token(client)}, headers=headers
    ) as answer:
        assert (await answer.json())["fields"] == {"a": "1"}


async def test_what_is_too_large_is_refused_before_it_is_read(echo: ServedConsole) -> None:
    client = await echo.client("monitor")
    headers = {"Origin": echo.url, "X-CSRF-Token": echo.token(client)}
    async with client.post(f"{echo.url}/echo", data=b"x" * 300_000, headers=headers) as answer:
        assert answer.status == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    async with client.post(f"{echo.url}/echo", data=endless(), headers=headers) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=%ff%fe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % n for n in range(2000))),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--y\r\nnothing of ours"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 200, b"--x"),
    ],
)
async def test_a_form_that_is_none_is_refused(echo: ServedConsole, content_type: str, body: bytes) -> None:
    client = await echo.client("monitor")
    headers = {"Origin": echo.url, "X-CSRF-Token": echo.token(client), "Content-Type": content_type}
    async with client.post(f"{echo.url}/echo", data=body, headers=headers) as answer:
        assert answer.status == 400, await answer.text()


async def test_what_fails_inside_stays_inside(echo: ServedConsole, caplog: pytest.LogCaptureFixture) -> None:
    status, text = await echo.get("monitor", "/fails")
    assert status == 500
    assert "secret" not in text
    assert "系统出错" in text
    assert "console.page_failed" in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/{digest}/../../app.py",
        "/static/{digest}/..%2f..%2fapp.py",
        "/static/{digest}/%2e%2e%2fapp.py",
        "/static/{digest}/vendor/version",
        "/static/{digest}/console.css%00.js",
    ],
)
async def test_nothing_but_static_files_is_given_out_as_one(console: ServedConsole, path: str) -> None:
    digest = console.parts.painter.environment.globals["asset"]("console.css").split("/")[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(console.url.rpartition(":")[2]))
    line = f"GET {path.format(digest=digest)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    writer.write(line.encode())  # as it stands: a client would tidy it up
    answer = await reader.read()
    writer.close()
    assert answer.split()[1] in (b"404", b"400"), answer[:200]


async def test_an_address_that_is_none_has_a_page(console: ServedConsole) -> None:
    assert (await console.get("monitor", "/nonsense"))[0] == 404
    assert "没有找到" in (await console.get("", "/nonsense"))[1]
    client = await console.client("monitor")
    async with client.post(f"{console.url}/account") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_part_of_a_page_leads_the_whole_page_to_the_login(console: ServedConsole) -> None:
    client = await console.client()
    headers = {"HX-Request": "true", "HX-Current-URL": f"{console.url}/account?tab=2"}
    async with client.get(f"{console.url}/account", headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login?next=/account%3Ftab%3D2")


async def test_metrics_are_not_for_people_behind_a_proxy(console: ServedConsole) -> None:
    client = await console.client("admin")
    for path in ("/metrics", "/healthz", "/readyz"):
        async with client.get(console.url + path) as answer:
            assert answer.status in (200, 503)
        async with client.get(console.url + path, headers={"X-Forwarded-For": "203.0.113.9"}) as answer:
            assert answer.status == 403


# ── Language, name, proxy ────────────────────────────────────────────────────────────────────────────────────


async def test_the_language_that_was_asked_for_stays(console: ServedConsole) -> None:
    assert "我的账户" in (await console.get("monitor", "/account", **{"Accept-Language": "zh-CN"}))[1]
    assert "My account" in (await console.get("monitor", "/account?lang=en"))[1]
    assert "My account" in (await console.get("monitor", "/account", **{"Accept-Language": "zh-CN"}))[1]
    assert (await console.post("lead", "/account/language", {"language": "en"}))[0] == 303
    assert "My account" in (await console.get("lead", "/account", **{"Accept-Language": "zh-CN"}))[1]


async def test_over_tls_cookies_are_bound_to_the_host(tmp_path: Path) -> None:
    def public(parts: Parts) -> Parts:
        return replace(parts, doors=replace(parts.doors, public_url="https://hotline.example", behind_proxy=True))

    async with served(tmp_path, change=public) as console:
        client = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        console.keep(client)
        via = {"Host": "hotline.example", "X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        async with client.get(f"{console.url}/login", headers=via) as answer:
            visit = answer.cookies["__Host-sansheng_visit"]
            assert visit["secure"]
        form = {"login": "monitor", "password": PASSWORD, "csrf": csrf_of(visit.value)}
        sent = via | {"Cookie": f"__Host-sansheng_visit={visit.value}"}
        for origin, expected in (("http://hotline.example", 403), ("https://hotline.example", 303)):
            headers = sent | {"Origin": origin}
            async with client.post(
                f"{console.url}/login", data=form, headers=headers, allow_redirects=False
            ) as answer:
                assert answer.status == expected
        session = answer.cookies["__Host-sansheng"]
        assert session["secure"]
        assert session["httponly"]
        assert not session["domain"]
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        [kept] = await console.parts.doorkeeper.sessions.of("monitor")
        assert kept.address == "203.0.113.9", "what the proxy itself saw"
        async with client.get(f"{console.url}/login", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421


async def test_who_came_in_is_on_record(console: ServedConsole) -> None:
    await console.client("monitor")
    entries = await SqlAccessLog(console.engine, console.parts.clock).entries(actor="monitor")
    assert [entry.access.kind for entry in entries] == [AccessKind.SIGN_IN]


async def test_an_answer_without_an_end_ends_with_the_session(
    console: ServedConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_module, "_LOOK_AGAIN_S", 0.05)
    client = await console.client("monitor")
    async with client.get(f"{console.url}/live") as answer:
        assert answer.status == 200
        await answer.content.readany()
        await console.parts.doorkeeper.people.disable("monitor", NOTED)
        with pytest.raises(aiohttp.ClientError):
            while True:
                if not await answer.content.readany():
                    raise aiohttp.ClientPayloadError


async def test_a_new_hash_is_made_when_the_cost_has_changed(console: ServedConsole) -> None:
    keeper = console.parts.doorkeeper
    before = await keeper.people.find("monitor")
    keeper.passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await keeper.sign_in("monitor", PASSWORD, From("127.0.0.1", "test"))
    after = await keeper.people.find("monitor")
    assert before
    assert after
    assert before.password_hash != after.password_hash
    assert await keeper.passwords.fits(PASSWORD, after.password_hash)


async def test_too_many_requests_are_told_to_wait(tmp_path: Path) -> None:
    async with served(tmp_path, limits=Limits(2, lambda: 0.0)) as console:
        client = await console.client("monitor")
        statuses = []
        for _ in range(8):
            async with client.get(f"{console.url}/account") as answer:
                statuses.append(answer.status)
        assert statuses == [200] * 6 + [429] * 2
        assert answer.headers["Retry-After"] == "1"
        assert (await console.get("lead", "/account"))[0] == 200, "others are not held up"
        async with client.get(f"{console.url}/api/v1/kpi") as answer:
            assert (await answer.json())["error"] == "too many requests"
        async with client.get(f"{console.url}/healthz") as answer:
            assert answer.status == 200


async def test_while_the_database_is_away_pages_say_so_and_health_is_told(
    console: ServedConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(secret: str) -> None:
        raise StorageUnavailable("the database cannot be reached")

    client = await console.client("monitor")
    monkeypatch.setattr(console.parts.doorkeeper, "visitor", away)
    status, text = await console.get("monitor", "/account")
    assert status == 503
    assert "暂时无法读取数据" in text
    assert (await console.get("monitor", "/api/v1/kpi"))[0] == 503
    async with client.get(f"{console.url}/healthz") as answer:
        assert answer.status == 200
