"""``sansheng people``: the first administrator, and everybody after (P1)."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from service.cli import main
from tests.support_prepared import prepared

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command on books of its own; status, output and errors."""
    config = tmp_path / "centre.toml"
    config.write_text(f'var_dir = "{tmp_path}/var"\n', encoding="utf-8")
    (tmp_path / "var").mkdir(mode=0o700)
    asyncio.run(prepared("sqlite", tmp_path / "var"))

    def run_command(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), "people", *words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run_command


def test_the_first_administrator_and_the_others(run: Run) -> None:
    status, out, _ = run("add", "zhou.ting", "--name", "周婷", "--role", "admin")
    assert status == 0
    [password] = re.findall(r"the password (\S+), which is shown only now", out)
    assert len(password) >= 16
    assert run("add", "wang", "--name", "王", "--role", "agent:inquiry", "--agent", "1001")[0] == 0
    assert run("add", "via.idp", "--name", "李", "--role", "department:stations", "--no-password")[0] == 0
    out = run("list")[1]
    assert re.search(r"wang +王 +1001 +agent:inquiry", out)
    assert "3 people" in out
    assert password not in out

    assert run("roles", "wang", "monitor:inquiry", "lead")[0] == 0
    assert "lead, monitor:inquiry" in run("list")[1]
    assert run("disable", "wang")[0] == 0
    assert "disabled" in run("list")[1]
    assert run("enable", "wang")[0] == 0
    status, out, _ = run("password", "wang")
    assert status == 0
    assert "shown only now" in out
    assert run("code-off", "wang")[0] == 0
    status, out, _ = run("token", "wang", "--name", "x", "--right", "see_figures", "--days", "9")
    assert status == 0
    assert re.search(r"sansheng_[\w-]{43}", out)


def test_a_password_may_be_typed(run: Run) -> None:
    status, out, _ = run(
        "add", "wang", "--name", "王", "--ask-password", typed="three rings, then a person\nmore\n"
    )
    assert status == 0
    assert "three rings" not in out


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("add", "Wang", "--name", "x"), "", "small letters"),
        (("add", "wang", "--name", "x", "--role", "king"), "", "roles: agent"),
        (("add", "wang", "--name", "x", "--role", "lead:nowhere"), "", "sections: inquiry"),
        (("add", "wang", "--name", "x", "--role", "department"), "", "department"),
        (("add", "wang", "--name", "x", "--agent", "7777"), "", "not on the roster"),
        (("add", "wang", "--name", "x", "--ask-password"), "short\n", "12 characters"),
        (("add", "wang", "--name", "x", "--ask-password"), "password1234\n", "everybody tries"),
        (("add", "wang", "--name", "x", "--ask-password"), "", "12 characters"),
        (("password", "nobody"), "", "nobody called nobody"),
        (("disable", "nobody"), "", "nobody called nobody"),
        (("token", "nobody", "--name", "x", "--right", "score"), "", "nobody called nobody"),
        (("roles", "admin"), "", "last administrator"),
        (("disable", "admin"), "", "last administrator"),
        (("add", "admin", "--name", "x"), "", "taken"),
        (("token", "admin", "--name", "x", "--right", "score"), "", "owner's rights"),
        (("token", "admin", "--name", "x", "--right", "keep_people", "--days", "999"), "", "366 days"),
    ],
)
def test_what_is_refused_says_why(run: Run, words: tuple[str, ...], typed: str, says: str) -> None:
    run("add", "admin", "--name", "x", "--role", "admin")
    status, out, err = run(*words, typed=typed)
    assert status == 1
    assert says in err
    assert "Traceback" not in err
    assert out == ""
