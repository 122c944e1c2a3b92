"""The command line: ``sansheng run | demo | serve | menu | agent | settings``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib.metadata
import logging
import operator
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from calls.errors import SanshengError
from service.logs import log_to_stderr
from service.settings import Settings, describe, load_settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Errors of ours are told in one sentence on standard error; the exit status is then 1."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(handlers=[logging.NullHandler()])  # commands speak for themselves; `serve` logs
    try:
        settings = load_settings(options.config)
        status = options.run(settings, options)
    except SanshengError as error:
        print(f"sansheng: {error}", file=sys.stderr)
        status = 1
    sys.exit(status or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sansheng", description="A public telephone hotline on Asterisk.")
    parser.add_argument("--config", type=Path, help="settings file (TOML); default: sansheng.toml")
    parser.set_defaults(run=_help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("run", _run, "start Asterisk and the service, and keep them running until Ctrl-C")
    demo = command("demo", _demo, "the same with simulated callers and agents")
    demo.add_argument("--calls-per-minute", type=float, default=6, help="how often a simulated caller rings")
    command("serve", _serve, "the service alone, beside an Asterisk that runs already")
    command("settings", _settings, "every setting with its value and meaning")
    menu = commands.add_parser("menu", help="look at the menu").add_subparsers(required=True, metavar="COMMAND")
    show = menu.add_parser("show", help="draw the menu (Mermaid)")
    show.add_argument("--language", default=None)
    show.set_defaults(run=_menu_show)
    walk = menu.add_parser("try", help="walk the menu: menu try 1 2 0 ( - is silence)")
    walk.add_argument("keys", nargs="*")
    walk.add_argument("--language", default=None)
    walk.add_argument("--priority", action="store_true", help="as a caller of the priority list")
    walk.set_defaults(run=_menu_try)
    check = menu.add_parser("check", help="what the linter says of a menu file")
    check.add_argument("file", nargs="?", type=Path)
    check.set_defaults(run=_menu_check)
    command("prompts", _prompts, "check the recorded prompts")
    agent = commands.add_parser("agent", help="agents: list, login, logout, pause, unpause")
    agent.add_argument("action", choices=["list", "login", "logout", "pause", "unpause"])
    agent.add_argument("number", nargs="?")
    agent.add_argument("--reason", default="break")
    agent.set_defaults(run=_agent)
    return parser


def _help(parser: argparse.ArgumentParser) -> object:
    def run(_settings: Settings, _options: argparse.Namespace) -> int:
        parser.print_help()
        return 2

    return run


def _until_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


def _serve(settings: Settings, _options: argparse.Namespace) -> int:
    from service.wiring import Hotline, menu_of

    log_to_stderr()

    async def serve() -> None:
        hotline = Hotline(settings, menu_of(settings), importlib.metadata.version("sansheng"))
        # What is there now stays: a collection that walks it all would hold callers up for tens of milliseconds.
        gc.collect()
        gc.freeze()
        await hotline.run(_until_signal())

    asyncio.run(serve())
    return 0


def _run(settings: Settings, options: argparse.Namespace) -> int:
    return asyncio.run(_up(settings, options, calls_per_minute=None))


def _demo(settings: Settings, options: argparse.Namespace) -> int:
    return asyncio.run(_up(settings, options, calls_per_minute=options.calls_per_minute))


async def _up(settings: Settings, options: argparse.Namespace, calls_per_minute: float | None) -> int:
    """Everything, in order; and down again in the reverse order, whatever happens in between."""
    from service.asterisk import Asterisk
    from service.ports import check_ports
    from service.processes import ServiceProcess, keep_running
    from service.wiring import menu_of

    stop = _until_signal()
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    check_ports(settings)
    menu = menu_of(settings)
    asterisk = Asterisk(settings, menu)
    arguments = ("--config", str(options.config)) if options.config else ()
    service = ServiceProcess(settings, arguments)
    async with contextlib.AsyncExitStack() as stack:
        print("starting Asterisk …", flush=True)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        print("starting the service …", flush=True)
        await service.start()
        stack.push_async_callback(service.stop)
        await service.ready()
        if calls_per_minute is not None:
            from service.demo import Demo

            demo = Demo(settings, asterisk, calls_per_minute)
            await stack.enter_async_context(demo)
        print(_welcome(settings, asterisk), flush=True)
        await keep_running(asterisk, service, stop)
        print("\nstopping …", flush=True)
    print("stopped", flush=True)
    return 0


def _welcome(settings: Settings, asterisk: object) -> str:
    from service.asterisk import Asterisk

    assert isinstance(asterisk, Asterisk)
    web = f"http://127.0.0.1:{settings.ports.web}"
    phones = asterisk.secrets().phones
    agents = "\n".join(
        f"    agent {agent.number}  password {phones[agent.number]}  "
        f"{'overflow group' if agent.overflow else ', '.join(agent.sections)}"
        for agent in settings.agents
    )
    return f"""
三声 Sansheng is running.

    live page   {web}/
    metrics     {web}/metrics
    health      {web}/healthz  {web}/readyz

Telephones register at sip:{settings.sip.address}:{settings.sip.port} (UDP) with one of these accounts:

{agents}

On such a telephone: *11 log in, *12 log out, *131 break, *132 meal, *133 training, *134 paperwork, *14 back,
{settings.hotline_number} calls the hotline.
Calls from the network are taken from: {", ".join(f"{t.name} ({t.match})" for t in settings.trunks)}
Recordings: {settings.recordings_dir / "intake"}

Ctrl-C stops everything.
"""


def _settings(settings: Settings, _options: argparse.Namespace) -> int:
    for name, _default, meaning in describe():
        print(f"{name:32} {_shown(name, settings):32} {meaning}")
    return 0


def _shown(name: str, settings: Settings) -> str:
    """A setting's value for a terminal, without the password of the database."""
    value = operator.attrgetter(name)(settings)
    if name == "database_url":
        return re.sub("(//[^:/@]*):.*@", r"\1:***@", value)
    if isinstance(value, tuple):
        return ", ".join(str(getattr(line, "number", None) or line.name) for line in value)
    return str(value)


def _menu_show(settings: Settings, options: argparse.Namespace) -> int:
    from ivr.menu.draw import draw
    from service.prompts import prompt_texts
    from service.wiring import menu_of

    menu = menu_of(settings)
    language = options.language or menu.languages[0]
    print(draw(menu, language, texts=prompt_texts()[_one_of(language, menu.languages)]))
    return 0


def _menu_try(settings: Settings, options: argparse.Namespace) -> int:
    from ivr.menu.hours import OpeningHours
    from ivr.menu.tryout import walk_in_text
    from service.prompts import prompt_texts
    from service.wiring import SystemClock, menu_of

    menu = menu_of(settings)
    language = _one_of(options.language or menu.languages[0], menu.languages)
    now = settings.menu_now or SystemClock().now()
    for line in walk_in_text(
        menu,
        options.keys,
        now,
        OpeningHours(settings.zone),
        prompt_texts(),
        language=language,
        priority=options.priority,
    ):
        print(line)
    return 0


def _one_of(language: str, known: Sequence[str]) -> str:
    if language not in known:
        raise SanshengError(f"the menu does not speak {language}; it speaks {', '.join(known)}")
    return language


def _menu_check(settings: Settings, options: argparse.Namespace) -> int:
    from ivr.menu.linter import lint
    from ivr.menu.loader import read_menu
    from service.prompts import prompts_available

    path = options.file or settings.menu_file
    findings = lint(read_menu(path), prompts_available())
    for finding in findings:
        print(f"{path.name}: {finding}")
    print(f"{path.name}: {len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


def _prompts(_settings: Settings, _options: argparse.Namespace) -> int:
    from service.prompts import prompt_problems

    problems = prompt_problems()
    for problem in problems:
        print(problem)
    print(f"{len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}")
    return 1 if problems else 0


def _agent(settings: Settings, options: argparse.Namespace) -> int:
    from service.agents import run_agent_command

    for line in asyncio.run(run_agent_command(settings, options.action, options.number, options.reason)):
        print(line)
    return 0
