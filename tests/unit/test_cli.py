"""The command line, in this process: what it prints, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.cli import main
from service.settings import describe

Run = Callable[..., tuple[int, str, str]]

CONFIG = """
var_dir = "{var}"
rehearse_at = 2026-11-24T10:00:00
database_url = "postgresql+asyncpg://books:s3cr@t@db/hotline"
[rings]
count = 4
cycle_s = 3
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command with settings of its own; status, output and errors."""
    config = tmp_path / "centre.toml"
    config.write_text(CONFIG.format(var=tmp_path / "var"), encoding="utf-8")

    def run_command(*words: str, config: Path = config) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), *words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run_command


def test_settings_shows_every_one_with_its_value(run: Run) -> None:
    status, out, err = run("settings")
    assert (status, err) == (0, "")
    shown = {line.split()[0]: line.split()[1] for line in out.splitlines()}
    assert set(shown) == {name for name, _, _ in describe()}
    assert shown["rings.count"] == "4"  # ours, not the default
    assert shown["rings.cycle_s"] == "3.0"
    assert shown["trunks"] == "city"
    assert shown["agents"] == "1001,"
    assert all(meaning in out for _, _, meaning in describe())


def test_settings_keeps_the_databases_password_to_itself(run: Run) -> None:
    _, out, _ = run("settings")
    assert "postgresql+asyncpg://books:***@db/hotline" in out
    assert "s3cr" not in out


TRIES = [
    (["1", "3"], "queue ticketing, language zh-CN, priority 0"),
    (["2", "2"], "queue complaint, language en, priority 0"),
    (["-", "4"], "queue coordination, language zh-CN, priority 0"),
    (["0"], "queue inquiry, language zh-CN, priority 0"),
    (["1", "*", "0"], "queue inquiry, language zh-CN, priority 0"),
    (["--priority", "1", "1"], "queue inquiry, language zh-CN, priority 10"),
    (["--language", "en", "0"], "queue inquiry, language en, priority 0"),
    ([], "queue inquiry, language zh-CN, priority 0"),
]


@pytest.mark.parametrize(("keys", "end"), TRIES, ids=[" ".join(row[0]) or "silence" for row in TRIES])
def test_menu_try_walks_the_menu(run: Run, keys: list[str], end: str) -> None:
    status, out, err = run("menu", "try", *keys)
    assert (status, err) == (0, "")
    assert end in out.splitlines()[-1]


def test_menu_try_says_what_a_caller_hears(run: Run) -> None:
    assert "为保证服务质量，本次通话将被录音" in run("menu", "try", "1", "1")[1]


def test_menu_try_takes_the_rehearsals_day(run: Run, tmp_path: Path) -> None:
    holiday = tmp_path / "holiday.toml"
    holiday.write_text("rehearse_at = 2026-10-01T10:00:00")
    assert "[holiday]" in run("menu", "try", "1", config=holiday)[1]
    assert "[holiday]" not in run("menu", "try", "1")[1]


@pytest.mark.parametrize("key", ["x", "12", "１", "A"])
def test_menu_try_refuses_what_is_no_key(run: Run, key: str) -> None:
    status, out, err = run("menu", "try", key)
    assert (status, out) == (1, "")
    assert err.startswith("sansheng: ")
    assert f"'{key}' is not a key" in err


def test_menu_show_draws_it(run: Run) -> None:
    status, out, _ = run("menu", "show")
    assert status == 0
    assert out.startswith("flowchart ")
    assert "咨询" in out
    assert "For English" in run("menu", "show", "--language", "en")[1]


@pytest.mark.parametrize("command", [["menu", "show"], ["menu", "try"]])
def test_a_language_that_the_menu_does_not_speak(run: Run, command: list[str]) -> None:
    assert run(*command, "--language", "fr") == (
        1,
        "",
        "sansheng: the menu does not speak fr; it speaks zh-CN, en\n",
    )


def test_menu_check_passes_the_shipped_menu(run: Run) -> None:
    assert run("menu", "check") == (0, "hotline.toml: no findings\n", "")


def test_menu_check_names_every_finding(run: Run, tmp_path: Path) -> None:
    from ivr.menu.loader import HOTLINE

    menu = tmp_path / "mine.toml"
    menu.write_text(HOTLINE.read_text(encoding="utf-8").replace('say = ["sections"]', 'say = ["unheard-of"]'))
    status, out, _ = run("menu", "check", str(menu))
    assert status == 1
    assert "unheard-of" in out
    assert out.splitlines()[-1] == f"mine.toml: {len(out.splitlines()) - 1} findings"


def test_menu_check_of_one_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    status, _, err = run("menu", "check", str(tmp_path / "gone.toml"))
    assert status == 1
    assert "gone.toml" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("words", [["dance"], ["menu"], ["menu", "dance"], ["agent"], ["agent", "promote"]])
def test_an_unknown_command_shows_the_known_ones(run: Run, words: list[str]) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "usage: sansheng" in err


def test_no_command_at_all_is_help_and_no_success(run: Run) -> None:
    status, out, _ = run()
    assert status == 2
    assert all(name in out for name in ("run", "demo", "serve", "settings", "menu", "prompts", "agent"))


def test_wrong_settings_are_told_in_words(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[rings]\ncount = 0")
    status, out, err = run("settings", config=wrong)
    assert (status, out) == (1, "")
    assert err.startswith("sansheng: ")
    assert "wrong.toml" in err
    assert "rings.count" in err
    status, _, err = run("run", config=tmp_path / "gone.toml")
    assert status == 1
    assert "gone.toml" in err


def test_run_does_not_begin_while_a_port_is_taken(run: Run, tmp_path: Path) -> None:
    import socket

    config = tmp_path / "ports.toml"
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        config.write_text(f'var_dir = "{tmp_path / "var"}"\n[ports]\nweb = {port}')
        status, out, err = run("run", config=config)
    assert status == 1
    assert f"port {port}" in err
    assert "starting" not in out


def test_prompts_says_whether_all_is_well(run: Run) -> None:
    status, out, _ = run("prompts")
    problems = out.splitlines()[:-1]
    assert status == (1 if problems else 0)
    assert out.splitlines()[-1] == f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}"
