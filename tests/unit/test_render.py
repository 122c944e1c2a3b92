"""Asterisk's configuration as it is rendered: private, complete, and a dialplan without loose ends."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pytest

import service.asterisk
from asterisk_conf.install import AsteriskBuild
from asterisk_conf.prompt_manifest import load_manifest
from asterisk_conf.render import TEMPLATES, render, write_private
from service.asterisk import AMI_USER, Asterisk
from service.settings import SECTIONS, Settings
from service.wiring import menu_of

BUILD = AsteriskBuild(("/bin/false",), Path("/usr/lib/asterisk/modules"), Path("/usr/share/asterisk"), "22.0")


@dataclass(frozen=True)
class Rendered:
    """An installation made ready to start, and what its templates were given."""

    asterisk: Asterisk
    context: Mapping[str, object]

    def text(self, name: str) -> str:
        return (self.asterisk.dirs.etc / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rendered]:
    settings = Settings.model_validate({"var_dir": str(tmp_path_factory.mktemp("v"))})
    asterisk = Asterisk(settings, menu_of(settings))
    contexts: list[Mapping[str, object]] = []

    def noting(context: Mapping[str, object], into: Path) -> None:
        contexts.append(context)
        render(context, into)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.asterisk, "render", noting)
        asterisk.prepare(BUILD)
    yield Rendered(asterisk, contexts[0])


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_template_is_rendered_and_nothing_is_left_open(rendered: Rendered) -> None:
    etc = rendered.asterisk.dirs.etc
    wanted = {path.name.removesuffix(".j2") for path in TEMPLATES.glob("*.j2")}
    assert wanted <= {path.name for path in etc.iterdir()}
    assert not [
        path.name for path in etc.iterdir() if re.search(r"\{\{|\{%|%\}", path.read_text(encoding="utf-8"))
    ]
    assert not [path.name for path in etc.iterdir() if not path.name.endswith(".conf")]


def test_a_value_that_is_missing_is_an_error_and_none_is_unused(rendered: Rendered, tmp_path: Path) -> None:
    for name in rendered.context:
        with pytest.raises(jinja2.UndefinedError, match=name):
            render({key: value for key, value in rendered.context.items() if key != name}, tmp_path)


def test_configuration_is_ours_alone(rendered: Rendered) -> None:
    etc = rendered.asterisk.dirs.etc
    assert {path.name: path.stat().st_mode & 0o777 for path in etc.iterdir() if path.stat().st_mode & 0o077} == {}
    assert etc.stat().st_mode & 0o077 == 0


def test_no_secret_stands_where_others_could_read_it(rendered: Rendered) -> None:
    secrets = rendered.asterisk.secrets()
    found: dict[str, set[str]] = {}
    for path in rendered.asterisk.settings.var_dir.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            for secret in (secrets.ami, secrets.callers, *secrets.phones.values()):
                if secret.encode() in data:
                    assert path.stat().st_mode & 0o777 == 0o600
                    found.setdefault(secret, set()).add(path.name)
    assert found == {
        secrets.ami: {"secrets.json", "manager.conf"},
        secrets.callers: {"secrets.json", "extensions.conf"},
    } | {phone: {"secrets.json", "pjsip.conf"} for phone in secrets.phones.values()}


def test_again_renders_the_same(rendered: Rendered) -> None:
    before = {path.name: path.read_bytes() for path in rendered.asterisk.dirs.etc.iterdir()}
    rendered.asterisk.prepare(BUILD)
    assert {path.name: path.read_bytes() for path in rendered.asterisk.dirs.etc.iterdir()} == before


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "new" / "a.conf", "secret")
        write_private(tmp_path / "run", "#!/bin/sh", mode=0o700)
    finally:
        os.umask(old)
    assert (tmp_path / "new" / "a.conf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_private(tmp_path / "a.conf", "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "a.conf", "new \udc80")
    assert (tmp_path / "a.conf").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.conf"]


# ── What is in them ──────────────────────────────────────────────────────────────────────────────────────────


def sections_of(text: str) -> configparser.ConfigParser:
    """A file without templates or repeated sections."""
    parser = configparser.ConfigParser(interpolation=None, strict=True, delimiters=("=",), comment_prefixes=(";",))
    parser.read_string(text)
    return parser


def test_ami_listens_on_loopback_with_the_fewest_rights(rendered: Rendered) -> None:
    manager = sections_of(rendered.text("manager.conf"))
    assert manager.sections() == ["general", AMI_USER]
    assert (manager["general"]["bindaddr"], manager["general"]["timestampevents"]) == ("127.0.0.1", "yes")
    assert "webenabled" not in manager["general"]
    user = manager[AMI_USER]
    assert (user["deny"], user["permit"]) == ("0.0.0.0/0.0.0.0", "127.0.0.1/255.255.255.255")
    assert set(user["read"].split(",")) == {"call", "agent", "system"}
    assert set(user["write"].split(",")) == {"call", "agent", "reporting", "originate"}


@pytest.mark.parametrize(("count", "cycle_s", "timeout"), [(3, 5, 15), (4, 3, 12), (3, 3, 9), (2, 2.5, 5)])
def test_queues_ring_as_long_as_the_rule_says(
    rendered: Rendered, tmp_path: Path, count: int, cycle_s: float, timeout: int
) -> None:
    settings = Settings.model_validate({"rings": {"count": count, "cycle_s": cycle_s}})
    render({**rendered.context, "settings": settings}, tmp_path)
    text = (tmp_path / "queues.conf").read_text()
    assert re.findall(r"^timeout = (.*)$", text, re.M) == [str(timeout)]
    assert "autopause = all" in text
    assert re.findall(r"^\[(\w+)\]\(section\)$", text, re.M) == list(SECTIONS)


def test_telephones_and_trunks_are_those_of_the_settings(rendered: Rendered) -> None:
    text = rendered.text("pjsip.conf")
    settings, phones = rendered.asterisk.settings, rendered.asterisk.secrets().phones
    for agent in settings.agents:
        assert text.count(f"[{agent.number}]") == 3
        assert f"username = {agent.number}\npassword = {phones[agent.number]}\n" in text
    assert re.findall(r"^bind = (.*)$", text, re.M) == ["127.0.0.1:5060"]
    # The synthetic caller's calls come from what we are bound to ourselves, and from nowhere else.
    matches = [trunk.match for trunk in settings.trunks]
    assert re.findall(r"^match = (.*)$", text, re.M) == [*matches, "127.0.0.1:5060"]
    assert "anonymous" not in text  # nobody unknown is let in


def test_modules_are_listed_and_loaded_once(rendered: Rendered) -> None:
    loads = re.findall(r"^load = (.*)\.so$", rendered.text("modules.conf"), re.M)
    assert "autoload = no" in rendered.text("modules.conf")
    assert loads == list(dict.fromkeys(loads))
    assert {"chan_pjsip", "app_queue", "res_agi", "cel_custom", "cdr_custom", "app_mixmonitor"} <= set(loads)


# ── The dialplan ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Step:
    """One line of the dialplan."""

    context: str
    exten: str
    priority: int
    label: str | None
    application: str
    arguments: str


_EXTEN = re.compile(r"exten => ([^,]+),(\d+)(?:\(([\w-]+)\))?,(\w+)\((.*)\)$")
_SAME = re.compile(r" same => n(?:\(([\w-]+)\))?,(\w+)\((.*)\)$")


def steps_of(text: str) -> list[Step]:
    """A dialplan of the forms that ours has; any other line is an error."""
    steps: list[Step] = []
    context, exten, priority = "", "", 0
    for line in text.splitlines():
        if not line or line.startswith(";"):
            continue
        if found := re.fullmatch(r"\[([\w-]+)\]", line):
            context = found[1]
        elif context in ("general", "globals"):
            continue
        elif found := _EXTEN.fullmatch(line):
            exten, priority = found[1], int(found[2])
            steps.append(Step(context, exten, priority, *found.groups()[2:]))
        else:
            found = _SAME.fullmatch(line)
            assert found, f"not a step: {line}"
            priority += 1
            steps.append(Step(context, exten, priority, *found.groups()))
    return steps


def targets_of(step: Step) -> Iterator[str]:
    """Where a step may jump to, as it is written."""
    match step.application:
        case "Goto":
            yield step.arguments
        case "GotoIf":
            _, _, ways = step.arguments.rpartition("?")
            yield from (way for way in ways.split(":") if way)
        case "Queue":
            yield f"{step.arguments.split(',')[6]},s,1"
        case "Originate":
            local, _, context, exten, priority, *_ = step.arguments.split(",")
            yield f"{context},{exten},{priority}"
            name, _, rest = local.removeprefix("Local/").partition("@")
            yield f"{rest.removesuffix('/n')},{name},1"


def places(steps: list[Step]) -> set[tuple[str, str, str]]:
    numbered = {(step.context, step.exten, str(step.priority)) for step in steps}
    return numbered | {(step.context, step.exten, step.label) for step in steps if step.label}


def loose_ends(steps: list[Step]) -> list[str]:
    known = places(steps)
    found = []
    for step in steps:
        for target in targets_of(step):
            parts = target.split(",")
            place = (step.context, step.exten, target)
            if len(parts) == 2:
                place = (step.context, parts[0], parts[1])
            elif len(parts) == 3:
                place = (parts[0], parts[1], parts[2])
            if place not in known:
                found.append(f"{step.context},{step.exten},{step.priority}: {target}")
    return found


@pytest.fixture
def steps(rendered: Rendered) -> list[Step]:
    return steps_of(rendered.text("extensions.conf"))


def test_every_jump_has_a_place_to_land(steps: list[Step]) -> None:
    assert sum(1 for step in steps for _ in targets_of(step)) > 40  # the parser sees them
    assert loose_ends(steps) == []


def test_a_jump_to_nowhere_would_be_found(rendered: Rendered) -> None:
    text = rendered.text("extensions.conf")
    for spoilt in (
        text.replace("same => n(wide)", "same => n(wyde)"),
        text.replace("[number-join]", "[number-joint]"),
        text.replace("[connected]", "[disconnected]"),
        text.replace("(fallback)", "(callback-fall)"),
    ):
        assert loose_ends(steps_of(spoilt))


def test_no_label_stands_twice_in_one_extension(steps: list[Step]) -> None:
    labels = [(step.context, step.exten, step.label) for step in steps if step.label]
    assert len(labels) == len(set(labels))


def test_no_extension_runs_out_of_steps(steps: list[Step]) -> None:
    """``autofallthrough`` is off: after a last step that does not leave, the caller would hear nothing."""
    last = {(step.context, step.exten): step.application for step in steps if step.exten != "h"}  # after the end
    assert set(last.values()) <= {"Goto", "Hangup", "Return"}


def prompts_in(steps: list[Step]) -> set[str]:
    """Every sound named in the dialplan, its variables filled in."""
    found: set[str] = set()
    for step in steps:
        arguments = step.arguments.split(",")
        if step.application in ("Playback", "Background"):
            found.update(arguments[0].split("&"))
        elif step.application == "Read":
            found.update(arguments[1].split("&"))
    sections = {name.replace("${SECTION}", section) for name in found for section in SECTIONS}
    agents = {agent.number for agent in Settings().agents}
    return {name.replace("${AGENT}", agent) for name in sections for agent in agents}


def test_every_prompt_of_the_dialplan_is_in_the_manifest_and_installed(
    rendered: Rendered, steps: list[Step]
) -> None:
    wanted = prompts_in(steps)
    assert {"callback-offer", "all-busy", "section-complaint", "agents/9001"} <= wanted
    for language, known in load_manifest().available.items():
        assert {prompt for prompt in wanted if "/" not in prompt} <= known
        folder = rendered.asterisk.dirs.sounds / language
        assert {prompt for prompt in wanted if not (folder / f"{prompt}.wav16").is_file()} == set()


def test_what_a_caller_sends_is_filtered_before_anything_uses_it(steps: list[Step]) -> None:
    """No name; of the number only digits, and not many. The number dialled is only ever matched (issue 2)."""
    first, second, *_ = [step.arguments for step in steps if (step.context, step.exten) == ("hotline", "s")]
    assert (first, second) == ("CALLERID(name)=", "CALLERID(num)=${CALLERID(num):0:20}")
    numbers = [
        step.arguments
        for step in steps
        if step.arguments.startswith("CALLERID(num)=") and step.context == "from-trunk"
    ]
    assert numbers[0] == "CALLERID(num)="  # what stands if there is nothing usable
    assert all(number.startswith("CALLERID(num)=${FILTER(0-9+,") for number in numbers[1:])
    assert len(numbers) > 1
    assert not [step.exten for step in steps if step.context == "from-trunk" and re.search("[.!]", step.exten)]
    everything = " ".join(step.arguments for step in steps)
    assert not re.search(r"\$\{(EXTEN|CALLERID\(name|CALLERID\(dnid|SIP_HEADER|PJSIP_HEADER)", everything)
    assert not {step.application for step in steps} & {"System", "TrySystem", "Exec", "EAGI", "DeadAGI"}


def test_the_menu_is_asked_with_the_dead_mans_handle_set(steps: list[Step]) -> None:
    hotline = [step for step in steps if (step.context, step.exten) == ("hotline", "s")]
    (agi,) = [index for index, step in enumerate(hotline) if step.application == "AGI"]
    timeouts = [step.arguments for step in hotline[:agi] if step.arguments.startswith("TIMEOUT")]
    assert timeouts == ["TIMEOUT(absolute)=2.5"]
    assert hotline[agi].arguments == "agi://127.0.0.1:4573/menu"
    assert (hotline[agi + 1].label, hotline[agi + 1].arguments) == ("after-menu", "TIMEOUT(absolute)=0")
    assert ("hotline", "T", "1") in places(steps)


def test_a_late_time_out_of_the_menu_skips_nothing_of_the_way_to_a_person(steps: list[Step]) -> None:
    """Who has not come to the overflow group yet begins that step again, ahead of those behind (A1)."""
    late = [step.arguments for step in steps if (step.context, step.exten) == ("person", "T")]
    assert late == [
        "TIMEOUT(absolute)=0",
        '$["${UNTIL}" = ""]?s,1',
        '$["${QUEUE_MAX_PENALTY}" = "10"]?s,wide',
        "QUEUE_PRIO=$[${ASK_PRIORITY} + 5]",
        "s,offer",
    ]


# ── Somebody else's opinion ──────────────────────────────────────────────────────────────────────────────────

KNOWN_FINDINGS = {
    # asterisklint knows an older Asterisk: Originate's variables and these functions came later.
    "E_APP_ARG_MANY: too many arguments for app 'Originate', maximum is 6",
    "E_FUNC_MISSING: function 'CHANNEL_EXISTS' does not exist (or func_odbc created?)",
    "E_FUNC_MISSING: function 'EXPORT' does not exist (or func_odbc created?)",
    "E_FUNC_MISSING: function 'SHA1' does not exist (or func_odbc created?)",
}


def errors_by_asterisklint(folder: Path) -> set[str]:
    program = Path(sys.executable).with_name("asterisklint")
    if not program.exists():
        pytest.fail("asterisklint is missing; get it with: pip install asterisklint")
    done = subprocess.run(
        [program, "dialplan-check", "extensions.conf"], cwd=folder, capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert all(re.match(r"extensions\.conf:\d+ [EWH]_", line) for line in lines), lines
    return {line.partition(" ")[2] for line in lines if re.search(" (E_|W_DP_)", line)}


def test_asterisklint_finds_no_error(rendered: Rendered, tmp_path: Path) -> None:
    (tmp_path / "extensions.conf").write_text(rendered.text("extensions.conf"), encoding="utf-8")
    assert errors_by_asterisklint(tmp_path) <= KNOWN_FINDINGS


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("Playback(all-busy)", "Playbak(all-busy)", "E_APP_MISSING"),
        ("Goto(person,s,1)", "Goto(persons,s,1)", "E_DP_GOTO_NOCONTEXT"),
        ("?promise)", "?promises)", "W_DP_GOTO"),
    ],
)
def test_asterisklint_would_find_one(rendered: Rendered, tmp_path: Path, good: str, bad: str, code: str) -> None:
    text = rendered.text("extensions.conf")
    assert good in text
    (tmp_path / "extensions.conf").write_text(text.replace(good, bad), encoding="utf-8")
    assert [finding for finding in errors_by_asterisklint(tmp_path) - KNOWN_FINDINGS if finding.startswith(code)]
