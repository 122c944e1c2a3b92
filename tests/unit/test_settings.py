"""Settings: read once, refused with the key and the file in the message, and never able to reach a shell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pydantic
import pytest

from calls.errors import SettingsError
from service.settings import ROOT, SECTIONS, Settings, describe, load_settings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "centre.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_the_defaults_are_a_whole_hotline_on_loopback() -> None:
    settings = Settings()
    assert settings.rings.limit_s == 15.0
    assert settings.sip.address == "127.0.0.1"
    assert {section for agent in settings.agents for section in agent.sections} == set(SECTIONS)
    assert any(agent.overflow for agent in settings.agents)
    assert settings.ledger_url == f"sqlite+aiosqlite:///{ROOT}/var/ledger.db"
    assert settings.menu_file.is_file()
    assert settings.menu_now is None


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings().rings.count = 4  # type: ignore[misc]


def test_every_part_can_be_set(write: Write) -> None:
    path = write("""
        var_dir = "/srv/hotline"
        instance = "north2"
        database_url = "postgresql+asyncpg://books@db/hotline"
        rehearse_at = 2026-10-01T10:00:00
        [rings]
        count = 4
        cycle_s = 3
        [sip]
        address = "192.0.2.7"
        behind_nat = true
        [ports]
        web = 9000
        [[trunks]]
        name = "mobile"
        match = "198.51.100.0/24"
        codecs = ["alaw"]
        [[agents]]
        number = "12345678"
        sections = ["complaint"]
    """)
    settings = load_settings(path)
    assert settings.rings.limit_s == 12.0
    assert settings.recordings_dir == Path("/srv/hotline/recordings")
    assert settings.ledger_url == "postgresql+asyncpg://books@db/hotline"
    assert settings.menu_now == datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert [trunk.match for trunk in settings.trunks] == ["198.51.100.0/24"]
    assert [agent.number for agent in settings.agents] == ["12345678"]
    assert (settings.ports.web, settings.ports.ami) == (9000, 5038)


AGENT = '[[agents]]\nnumber = "1001"\nsections = ["inquiry"]\n'
WRONG: list[tuple[str, str, str]] = [
    ("unknown key", 'colour = "red"', "colour"),
    ("unknown key in a part", "[rings]\ncout = 3", "rings.cout"),
    ("unknown part", "[sipp]\nport = 5060", "sipp"),
    ("unknown key of a trunk", '[[trunks]]\nname="a"\nmatch="127.0.0.1"\nport=1', "trunks.0.port"),
    ("text for a number", '[rings]\ncount = "three"', "rings.count"),
    ("number for a text", "instance = 7", "instance"),
    ("part that is no table", "rings = 3", "rings"),
    ("no rings", "[rings]\ncount = 0", "rings.count"),
    ("too many rings", "[rings]\ncount = 11", "rings.count"),
    ("not a number", "[rings]\ncycle_s = nan", "rings.cycle_s"),
    ("rings that make no whole seconds", "[rings]\ncount = 3\ncycle_s = 4.5", "whole seconds"),
    ("port 0", "[ports]\nweb = 0", "ports.web"),
    ("port above all", "[ports]\nweb = 65536", "ports.web"),
    ("one port twice", "[ports]\nweb = 5038", "different ports"),
    ("RTP ports in reverse", "[sip]\nrtp_first_port = 9000\nrtp_last_port = 8000", "rtp_first_port"),
    ("SIP among the RTP ports", "[sip]\nport = 17000", "among the RTP ports"),
    ("every address", '[sip]\naddress = "0.0.0.0"', "sip.address"),
    ("every address of IPv6", '[sip]\naddress = "::"', "sip.address"),
    ("a name for an address", '[sip]\naddress = "localhost"', "sip.address"),
    ("an address and more", '[sip]\naddress = "fe80::1%x;exec"', "sip.address"),
    ("takeover later than 3 s", "menu_takeover_s = 3.1", "menu_takeover_s"),
    ("no such time zone", 'timezone = "Mars/Olympus"', "timezone"),
    ("no time zone at all", 'timezone = "../../etc/passwd"', "timezone"),
    ("a folder for a time zone", 'timezone = "Asia"', "timezone"),
    ("a moment with an offset", "rehearse_at = 2026-10-01T10:00:00+08:00", "rehearse_at"),
    ("no moment", 'rehearse_at = "tomorrow"', "rehearse_at"),
    ("instance with a line break", 'instance = "a\\nb"', "instance"),
    ("instance that ends in a line break", 'instance = "hotline\\n"', "instance"),
    ("instance in capitals", 'instance = "North"', "instance"),
    ("hotline with a pattern", 'hotline_number = "_X."', "hotline_number"),
    ("unknown section", '[[agents]]\nnumber = "1001"\nsections = ["sales"]', "agent 1001: unknown section sales"),
    ("agent without a place", '[[agents]]\nnumber = "1001"', "agent 1001"),
    ("agent twice", AGENT + AGENT, "given twice: 1001"),
    ("agent's number too short", '[[agents]]\nnumber = "12"\noverflow = true', "agents.0.number"),
    ("agent's number in other digits", '[[agents]]\nnumber = "１００１"\noverflow = true', "agents.0.number"),
    ("agent's number and more", '[[agents]]\nnumber = "1001](x"\noverflow = true', "agents.0.number"),
    ("agent without a number", "[[agents]]\noverflow = true", "agents.0.number"),
    ("trunk twice", '[[trunks]]\nname="a"\nmatch="127.0.0.1"\n' * 2, "given twice: a"),
    ("trunk with a hostile name", '[[trunks]]\nname="a]\\n[b"\nmatch="127.0.0.1"', "trunks.0.name"),
    ("trunk from anywhere by name", '[[trunks]]\nname="a"\nmatch="example.org"', "trunks.0.match"),
    ("trunk with an empty port", '[[trunks]]\nname="a"\nmatch="127.0.0.1:"', "trunks.0.match"),
    ("trunk with a port too high", '[[trunks]]\nname="a"\nmatch="127.0.0.1:70000"', "trunks.0.match"),
    ("trunk with a network and a port", '[[trunks]]\nname="a"\nmatch="127.0.0.0/8:5060"', "trunks.0.match"),
    ("trunk with a line break", '[[trunks]]\nname="a"\nmatch="127.0.0.1:5060\\n"', "trunks.0.match"),
    ("trunk with a codec that nobody has", '[[trunks]]\nname="a"\nmatch="127.0.0.1"\ncodecs=["mp3"]', "codecs"),
    ("trunk without codecs", '[[trunks]]\nname="a"\nmatch="127.0.0.1"\ncodecs=[]', "trunks.0.codecs"),
]


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_refused_by_file_and_key(write: Write, text: str, said: str) -> None:
    path = write(text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_all_that_is_wrong_is_told_at_once(write: Write) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(write("[rings]\ncount = 0\n[ports]\nweb = 0\n[sip]\nport = 0"))
    assert all(key in str(refused.value) for key in ("rings.count", "ports.web", "sip.port"))


def test_an_agent_cannot_have_the_hotlines_number(write: Write) -> None:
    with pytest.raises(SettingsError, match="hotline's number"):
        load_settings(write('hotline_number = "1001"\n' + AGENT))


@pytest.mark.parametrize("sign", [*" \t,;&|()$\"'\\`*?<>^~#%[]{}!:@\n\r", "\u2028"], ids=ascii)
@pytest.mark.parametrize("key", ["var_dir", "asterisk_dir", "menu_file"])
def test_no_path_can_say_anything_to_a_dialplan_or_a_shell(sign: str, key: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="letters, digits"):
        Settings.model_validate({key: f"/srv/a{sign}b"})


@pytest.mark.parametrize("path", ["/srv/hotline", "/srv/a.b/c_d-e+f", "/srv/热线"])
def test_ordinary_paths_are_taken_as_they_are(path: str) -> None:
    assert Settings.model_validate({"var_dir": path}).var_dir == Path(path)


def test_a_relative_path_is_relative_to_the_checkout() -> None:
    assert Settings.model_validate({"var_dir": "elsewhere"}).var_dir == ROOT / "elsewhere"


@pytest.mark.parametrize(
    ("count", "cycle_s", "limit_s"),
    [(3, 5.0, 15.0), (4, 3.0, 12.0), (3, 3.0, 9.0), (2, 2.5, 5.0), (10, 1.1, 11.0)],
)
def test_rings_that_make_whole_seconds(count: int, cycle_s: float, limit_s: float) -> None:
    settings = Settings.model_validate({"rings": {"count": count, "cycle_s": cycle_s}})
    assert settings.rings.limit_s == limit_s


def test_a_file_that_cannot_be_read(tmp_path: Path, write: Write) -> None:
    for path in (tmp_path / "nowhere.toml", tmp_path):
        with pytest.raises(SettingsError, match=str(path)):
            load_settings(path)
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(write("rings = = 3"))
    damaged = tmp_path / "damaged.toml"
    damaged.write_bytes(b'instance = "\xff"')
    with pytest.raises(SettingsError, match="is not TOML"):
        load_settings(damaged)


def test_the_environment_names_the_file(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANSHENG_CONFIG", str(write('instance = "named"')))
    assert load_settings().instance == "named"
    monkeypatch.setenv("SANSHENG_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings()


def test_every_setting_has_a_name_and_a_description() -> None:
    rows = list(describe())
    assert all(meaning for _, _, meaning in rows)
    names = [name for name, _, _ in rows]
    assert len(names) == len(set(names))
    assert {"rings.count", "sip.address", "ports.web", "trunks", "agents", "var_dir"} <= set(names)
    assert {name: default for name, default, _ in rows}["rings.count"] == "3"


def test_no_default_names_this_machine() -> None:
    assert not [row for row in describe() if str(ROOT) in " ".join(row)]
