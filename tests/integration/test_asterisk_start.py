"""A real Asterisk, started by us: clean, closed to others, complete, and gone without a trace when stopped."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk_conf.modules import MODULES
from calls.errors import AmiRefused, AsteriskError
from calls.ids import SYNTHETIC_TRUNK
from ivr.ami.client import FencedManager
from ivr.ami.sink import EventSink
from service.asterisk import AMI_USER, Asterisk
from service.ports import check_ports
from service.settings import ROOT, SECTIONS, Settings
from service.wiring import menu_of
from tests.support_ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 180
TREE = Path(os.environ.get("SANSHENG_TEST_ASTERISK", ROOT / "var" / "asterisk"))


def make_asterisk(folder: Path, **more: object) -> Asterisk:
    """One with ports of its own, and defaults for the rest."""
    settings = Settings.model_validate(
        {
            "var_dir": folder / "v",
            "asterisk_dir": TREE,
            "instance": "started",
            "sip": {"port": free_port(socket.SOCK_DGRAM), "rtp_first_port": 18000, "rtp_last_port": 18099},
            "ports": {name: free_port() for name in ("ami", "agi", "web")},
            "rings": {"count": 4, "cycle_s": 3},
            **more,
        }
    )
    check_ports(settings)
    return Asterisk(settings, menu_of(settings))


@dataclass(frozen=True)
class Started:
    """A running Asterisk, and what its log said when it had started."""

    asterisk: Asterisk
    messages: str

    async def ask(self, command: str) -> str:
        answer = await self.asterisk.command(command)
        assert answer is not None
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started() -> AsyncIterator[Started]:
    folder = Path(tempfile.mkdtemp(prefix="sa-"))  # short: a socket lies below it
    asterisk = make_asterisk(folder)
    try:
        await asterisk.start()
        yield Started(asterisk, (asterisk.dirs.log / "messages").read_text(encoding="utf-8"))
    finally:
        await asterisk.stop()
        shutil.rmtree(folder)


async def test_the_log_of_a_start_is_clean(started: Started) -> None:
    assert [line for line in started.messages.splitlines() if re.search("WARNING|ERROR", line)] == []
    console = (started.asterisk.dirs.log / "console").read_text(encoding="utf-8")
    assert [line for line in console.splitlines() if re.search("WARNING|ERROR", line)] == []


async def test_the_listed_modules_run_and_no_others(started: Started) -> None:
    table = re.findall(r"^(\w+)\.so .* (Running|Not Running)\s+\w+\s*$", await started.ask("module show"), re.M)
    assert {name for name, _ in table} == set(MODULES)
    assert {name for name, state in table if state != "Running"} == set()


@dataclass(frozen=True)
class Listening:
    """A socket that takes what comes, of one process."""

    protocol: str
    address: str
    port: int


def listening(pid: int) -> set[Listening]:
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink())):
            inodes.add(found[1])
    sockets = set()
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state and fields[9] in inodes:
                host, _, port = fields[1].partition(":")
                raw = bytes.fromhex(host)
                address = socket.inet_ntoa(raw[::-1]) if len(raw) == 4 else host
                sockets.add(Listening(protocol, address, int(port, 16)))
    return sockets


async def test_nothing_listens_beyond_loopback(started: Started) -> None:
    settings = started.asterisk.settings
    assert started.asterisk.pid is not None
    sockets = listening(started.asterisk.pid)
    assert {one for one in sockets if one.protocol.startswith("tcp")} == {
        Listening("tcp", "127.0.0.1", settings.ports.ami)
    }
    assert Listening("udp", "127.0.0.1", settings.sip.port) in sockets
    # PJSIP's client for host names, which asks nobody here, has an unnamed socket for each version of IP.
    elsewhere = {one for one in sockets if one.address != "127.0.0.1"}
    assert sorted(one.protocol for one in elsewhere) in ([], ["udp", "udp6"])
    used = {settings.sip.port, *range(settings.sip.rtp_first_port, settings.sip.rtp_last_port + 1)}
    assert not {one.port for one in elsewhere} & used


async def test_the_ami_user_has_the_fewest_classes(started: Started) -> None:
    users = await started.ask("manager show users")
    assert re.findall(r"^(\w+)$", users, re.M) == ["username", AMI_USER]
    user = await started.ask(f"manager show user {AMI_USER}")
    classes = dict(re.findall(r"^\s*(read|write) perm: (.*)$", user, re.M))
    assert set(classes["read"].split(",")) == {"system", "call", "agent"}
    assert set(classes["write"].split(",")) == {"call", "agent", "reporting", "originate"}


def ami(started: Started, user: str, secret: str) -> FencedManager:
    return FencedManager("127.0.0.1", started.asterisk.settings.ports.ami, user, secret, EventSink())


@pytest.mark.parametrize(("user", "secret"), [(AMI_USER, "wrong"), (AMI_USER, ""), ("admin", "admin")])
async def test_who_does_not_know_the_secret_is_refused(started: Started, user: str, secret: str) -> None:
    manager = ami(started, user, secret)
    await manager.connect(PATIENCE_S)
    with pytest.raises(AmiRefused):
        await manager.login(PATIENCE_S)
    await manager.closed()


async def test_our_own_secret_opens(started: Started) -> None:
    manager = ami(started, AMI_USER, started.asterisk.secrets().ami)
    await manager.connect(PATIENCE_S)
    await manager.login(PATIENCE_S)
    await manager.until_booted(PATIENCE_S)
    await manager.closed()


async def test_configuration_and_secrets_are_ours_alone(started: Started) -> None:
    base = started.asterisk.settings.var_dir
    files = [*started.asterisk.dirs.etc.iterdir(), base / "secrets.json"]
    assert {path.name for path in files if path.stat().st_mode & 0o777 != 0o600} == set()


INVITE = """INVITE sip:95000@{host}:{port} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.77:{own};branch=z9hG4bK{own}
From: <sip:{user}@127.0.0.77>;tag=1
To: <sip:95000@{host}>
Call-ID: {own}@127.0.0.77
CSeq: 1 INVITE
Contact: <sip:{user}@127.0.0.77:{own}>
Max-Forwards: 70
Content-Length: 0

"""


@pytest.mark.parametrize("user", ["13800138000", "1001", "city", "anonymous"])
async def test_a_stranger_cannot_call(started: Started, user: str) -> None:
    """Neither with an agent's name nor with the trunk's, from an address that is not the trunk's."""
    sip = started.asterisk.settings.sip
    before = await started.ask("core show channels count")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
        telephone.bind(("127.0.0.77", 0))
        telephone.setblocking(False)
        own = telephone.getsockname()[1]
        text = INVITE.format(host=sip.address, port=sip.port, own=own, user=user).replace("\n", "\r\n")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_sendto(telephone, text.encode(), (sip.address, sip.port))
            answer = await loop.sock_recv(telephone, 4096)
    assert answer.startswith(b"SIP/2.0 401 ")
    assert await started.ask("core show channels count") == before


async def test_a_second_start_from_the_same_folders_says_so(started: Started) -> None:
    second = Asterisk(started.asterisk.settings, started.asterisk.menu)
    with pytest.raises(AsteriskError, match="already running") as refused:
        await second.start()
    assert str(started.asterisk.dirs.base) in str(refused.value)
    await second.stop()  # which must not touch the first one
    assert await started.ask("core show uptime")


async def test_queues_are_the_sections_and_ring_as_the_rule_says(started: Started) -> None:
    shown = await started.ask("queue show")
    assert set(re.findall(r"^(\w+) +has 0 calls", shown, re.M)) == set(SECTIONS)
    assert shown.count("'leastrecent' strategy") == len(SECTIONS)
    queues = (started.asterisk.dirs.etc / "queues.conf").read_text()
    assert re.findall(r"^timeout = (\d+)$", queues, re.M) == ["12"]  # which Asterisk does not tell


async def test_the_prompts_can_be_played(started: Started) -> None:
    assert re.search(r"\bwav16\b", await started.ask("core show file formats"))
    sounds = started.asterisk.dirs.sounds
    for language in ("zh-CN", "en"):
        for prompt in ("welcome", "section-complaint", "agents/9001"):
            out = started.asterisk.dirs.spool / f"{language}-{prompt.replace('/', '-')}.wav"
            answer = await started.ask(f"file convert {sounds / language / prompt}.wav16 {out}")
            assert answer.startswith("Converted "), answer
            assert out.stat().st_size > 8000  # half a second at 8 kHz


async def test_records_are_written_to_disk(started: Started) -> None:
    cel = await started.ask("cel show status")
    assert re.search(r"CEL Logging: Enabled", cel)
    assert {"USER_DEFINED", "HANGUP", "ANSWER", "BRIDGE_ENTER", "CHAN_START"} <= set(
        re.findall(r"Event: (\w+)", cel)
    )
    # Their files: cel_custom and the manager for CEL, cdr_custom for CDR.
    assert set(re.findall(r"Subscriber: (.*)", cel)) >= {"Manager Event Logging"}
    cdr = await started.ask("cdr show status")
    assert re.search(r"Logging: +Enabled", cdr)
    assert re.search(r"Registered Backends\s+-+\s+(cdr-custom|CDR File custom)", cdr)


async def test_it_carries_our_name_and_every_telephone(started: Started) -> None:
    assert re.search(r"System name: +started$", await started.ask("core show settings"), re.M)
    shown = await started.ask("pjsip show endpoints")
    settings = started.asterisk.settings
    names = {agent.number for agent in settings.agents} | {trunk.name for trunk in settings.trunks}
    names.add(SYNTHETIC_TRUNK)
    assert set(re.findall(r"^ Endpoint: +(\w+)[ /]", shown, re.M)) - {"<Endpoint"} == names


def processes_of(folder: Path) -> list[str]:
    """Command lines of every process that has to do with a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if str(folder).encode() in line:
            found.append(line.decode(errors="replace"))
    return found


async def test_stopped_it_is_gone_and_can_be_started_again() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sa-"))
    asterisk = make_asterisk(folder)
    try:
        await asterisk.start()
        assert processes_of(folder)
        await asterisk.stop()
        assert await asterisk.wait() == 0
        assert processes_of(folder) == []
        check_ports(asterisk.settings)
        await asterisk.stop()  # again is harmless
        again = Asterisk(asterisk.settings, asterisk.menu)
        await again.start()
        again.kill()  # and a crash is no obstacle either
        assert await again.wait() == -9
        await again.start()
        assert await again.command("core show uptime")
        await again.stop()
        assert processes_of(folder) == []
    finally:
        await asterisk.stop()
        shutil.rmtree(folder)
