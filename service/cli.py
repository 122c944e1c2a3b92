"""The command line: ``sansheng run | demo | serve | menu | agent | books | outage | report | …``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib.metadata
import logging
import operator
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from calls.errors import ReportError, SanshengError, SettingsError
from calls.ports import Clock, OutageBook
from service.commands import (
    audit,
    backup,
    listen,
    models,
    people,
    recordings,
    retention,
    rules,
    search,
    transcripts,
    verdicts,
)
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
    command("worker", _worker, "transcribe and judge recordings, until Ctrl-C; `run` starts one by itself")
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
    command("kpi", _kpi, "every indicator's definition (docs/kpi.md)")
    monitoring = commands.add_parser("monitoring", help="files for a Prometheus of your own")
    files = monitoring.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "files", help="write prometheus.yml, alertmanager.yml and the rules into a folder"
    )
    files.add_argument("folder", type=Path)
    files.set_defaults(run=_monitoring_files)
    dashboards = command("dashboards", _dashboards, "write the Grafana dashboards and provisioning into a folder")
    dashboards.add_argument("folder", type=Path)
    dashboards.add_argument("--seen-at", help="where Grafana sees that folder, if elsewhere")
    dashboards.add_argument("--prometheus", metavar="URL", help="where Grafana reaches Prometheus")
    report = command("report", _report, "the regular report over a day, week, month, quarter or year")
    report.add_argument("kind", choices=["daily", "weekly", "monthly", "quarterly", "yearly", "complaints"])
    report.add_argument("over", nargs="?", choices=["monthly", "quarterly", "yearly"], help="after complaints")
    report.add_argument("--console", default="", metavar="URL", help="complaints: where figures lead to")
    which = report.add_mutually_exclusive_group()
    which.add_argument("--date", metavar="DAY", help="the period with this day in it; default: the last whole one")
    which.add_argument("--period", help="the period itself: 2026-11-21, 2026-W47, 2026-11, 2026-Q4 or 2026")
    report.add_argument("--format", default="html", help="html, xlsx, csv (complaints: print); default: html")
    report.add_argument("--out", type=Path, metavar="DIR", help="where to write; default: reports in var_dir")
    report.add_argument("--language", default="zh-CN", help="zh-CN (default) or en")
    report.add_argument(
        "--kpi-version", action="append", default=[], metavar="K2=1", help="an indicator under another version"
    )
    _outage_parser(commands.add_parser("outage", help="outages and maintenance: list, maintenance, cancel"))
    books = commands.add_parser("books", help="compare the books with what Asterisk wrote")
    of_books = books.add_subparsers(required=True, metavar="COMMAND")
    compare = of_books.add_parser("check", help="print what differs; the exit status is 1 if anything does")
    compare.add_argument("--repair", action="store_true", help="add what the books lack")
    compare.set_defaults(run=_books_check)
    settle = of_books.add_parser("settle", help="a difference has been looked into: let it rest")
    settle.add_argument("keys", nargs="+", metavar="KEY", help="as printed in brackets by books check")
    settle.set_defaults(run=_books_settle)
    agent = commands.add_parser("agent", help="agents: list, login, logout, pause, unpause")
    agent.add_argument("action", choices=["list", "login", "logout", "pause", "unpause"])
    agent.add_argument("number", nargs="?")
    agent.add_argument("--reason", default="break")
    agent.set_defaults(run=_agent)
    for noun in (
        recordings,
        transcripts,
        verdicts,
        rules,
        models,
        audit,
        retention,
        backup,
        listen,
        search,
        people,
    ):
        noun.register(commands)
    return parser


def _outage_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    shown = actions.add_parser("list", help="outages and maintenance, and what they come to (K5)")
    shown.add_argument("--days", type=int, default=31)
    shown.set_defaults(run=_outage_list)
    announce = actions.add_parser("maintenance", help="announce maintenance: START END REASON [COMPONENT …]")
    announce.add_argument("start", help="local time, as 2026-12-01T02:00")
    announce.add_argument("end")
    announce.add_argument("reason")
    announce.add_argument("components", nargs="*", help="what may be out; none: everything")
    announce.set_defaults(run=_outage_maintenance)
    cancel = actions.add_parser("cancel", help="take maintenance back, or end it now")
    cancel.add_argument("number", type=int)
    cancel.set_defaults(run=_outage_cancel)


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
    from service.back_room import SWITCH_S
    from service.wiring import Hotline, menu_of

    log_to_stderr()

    async def serve() -> None:
        hotline = Hotline(settings, menu_of(settings), importlib.metadata.version("sansheng"))
        # What is there now stays: a collection that walks it all would hold callers up for tens of milliseconds.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(SWITCH_S)
        await hotline.run(_until_signal())

    asyncio.run(serve())
    return 0


def _worker(settings: Settings, _options: argparse.Namespace) -> int:
    from service.worker import work

    log_to_stderr()
    return work(settings)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    return asyncio.run(_up(settings, options, calls_per_minute=None))


def _demo(settings: Settings, options: argparse.Namespace) -> int:
    return asyncio.run(_up(settings, options, calls_per_minute=options.calls_per_minute))


async def _up(settings: Settings, options: argparse.Namespace, calls_per_minute: float | None) -> int:
    """Everything, in order; and down again in the reverse order, whatever happens in between."""
    from service.asterisk import Asterisk
    from service.monitoring import Monitoring
    from service.ports import check_ports
    from service.processes import ServiceProcess, WorkerProcess, keep_running
    from service.wiring import menu_of

    stop = _until_signal()
    monitoring = Monitoring(settings) if os.environ.get("MONITORING") == "1" else None
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    check_ports(settings, monitoring=monitoring is not None)
    menu = menu_of(settings)
    asterisk = Asterisk(settings, menu)
    arguments = ("--config", str(options.config)) if options.config else ()
    service = ServiceProcess(settings, arguments)
    worker = WorkerProcess(settings, arguments) if settings.transcription.enabled else None
    async with contextlib.AsyncExitStack() as stack:
        print("starting Asterisk …", flush=True)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        print("starting the service …", flush=True)
        await service.start()
        stack.push_async_callback(service.stop)
        if not await service.ready():
            print("the database is away: calls are served, their events wait on disk until it is back", flush=True)
        if worker:
            await worker.start()
            stack.push_async_callback(worker.stop)
        if monitoring:
            print("starting Prometheus …", flush=True)
            await monitoring.start()
            stack.push_async_callback(monitoring.stop)
        if calls_per_minute is not None:
            from service.demo import Demo

            demo = Demo(settings, asterisk, calls_per_minute)
            await stack.enter_async_context(demo)
        who = await _who_may_sign_in(settings, demo=calls_per_minute is not None)
        print(_welcome(settings, asterisk, monitoring.urls if monitoring else {}, who), flush=True)
        await keep_running(asterisk, service, stop, worker)
        print("\nstopping …", flush=True)
    print("stopped", flush=True)
    return 0


async def _who_may_sign_in(settings: Settings, *, demo: bool) -> str:
    from service.demo_people import demo_people, nobody_yet

    if demo:
        made = await demo_people(settings)
        return f"Sign in to the console as one of these, with passwords made for this start:\n\n{made}\n"
    if await nobody_yet(settings):
        return (
            "Nobody may sign in to the console yet. Make the first administrator:\n"
            "    .venv/bin/sansheng people add LOGIN --name NAME --role admin\n"
        )
    return ""


def _welcome(settings: Settings, asterisk: object, servers: Mapping[str, str], who: str) -> str:
    from service.asterisk import Asterisk

    assert isinstance(asterisk, Asterisk)
    web = f"http://127.0.0.1:{settings.ports.web}"
    phones = asterisk.secrets().phones
    agents = "\n".join(
        f"    agent {agent.number}  password {phones[agent.number]}  "
        f"{'overflow group' if agent.overflow else ', '.join(agent.sections)}"
        for agent in settings.agents
    )
    more = "".join(f"\n    {name.lower():11} {url}/" for name, url in servers.items())
    return f"""
三声 Sansheng is running.

    console     {web}/
    metrics     {web}/metrics
    health      {web}/healthz  {web}/readyz{more}

{who}
Telephones register at sip:{settings.sip.address}:{settings.sip.port} (UDP) with one of these accounts:

{agents}

On such a telephone: *11 log in, *12 log out, *131 break, *132 meal, *133 training, *134 paperwork, *14 back,
{settings.hotline_number} calls the hotline.
Calls from the network are taken from: {", ".join(f"{t.name} ({t.match})" for t in settings.trunks)}
Recordings: {settings.custody.store_url or settings.var_dir / "vault"} (sealed; sansheng recordings list)

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
        return ", ".join(_name_of(line) for line in value)
    return str(value)


def _name_of(line: object) -> str:
    """What a line of a list is called: an agent by number, a trunk by name; a path or a number as it is."""
    names = (getattr(line, name, None) for name in ("number", "language", "name", "group"))
    return str(next((name for name in names if name), line))


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


def _kpi(_settings: Settings, _options: argparse.Namespace) -> int:
    from metrics.kpi.document import document

    print(document(), end="")
    return 0


def _monitoring_files(settings: Settings, options: argparse.Namespace) -> int:
    from service.monitoring import write_files

    for path in write_files(settings, options.folder):
        print(path)
    return 0


def _dashboards(settings: Settings, options: argparse.Namespace) -> int:
    from metrics.dashboards.files import write
    from service.dashboards import look_of
    from service.wiring import menu_of

    prometheus = options.prometheus or f"http://127.0.0.1:{settings.ports.prometheus}"
    try:
        for path in write(look_of(settings, menu_of(settings)), options.folder, prometheus, options.seen_at):
            print(path)
    except OSError as error:
        raise SettingsError(f"cannot write to {options.folder}: {error.strerror}") from error
    return 0


def _report(settings: Settings, options: argparse.Namespace) -> int:
    from service.reports import make_reports, read_wish
    from service.wiring import SystemClock

    if options.kind == "complaints":
        return _complaint_report(settings, options)
    if options.over or options.console:
        raise ReportError("a second kind and --console belong to `sansheng report complaints`")
    wish = read_wish(
        options.kind,
        date=options.date,
        period=options.period,
        formats=options.format,
        folder=options.out,
        language=options.language,
        versions=options.kpi_version,
    )
    try:
        files = make_reports(settings, wish, SystemClock())
    except KeyboardInterrupt:
        return 130  # as a shell says it
    for path in files:
        print(path)
    return 0


def _complaint_report(settings: Settings, options: argparse.Namespace) -> int:
    from service.complaint_reports import GRAINS, ComplaintWish, make_complaint_reports, read_formats
    from service.wiring import SystemClock

    if options.over is None or options.date or options.kpi_version:
        raise ReportError(
            "write `sansheng report complaints monthly`, quarterly or yearly; --period if not the last"
        )
    wish = ComplaintWish(
        GRAINS[options.over],
        options.period,
        read_formats(options.format),
        options.out,
        options.language,
        options.console,
    )
    for path in make_complaint_reports(settings, wish, SystemClock()):
        print(path)
    return 0


def _books_check(settings: Settings, options: argparse.Namespace) -> int:
    from service.asterisk import Dirs
    from service.books_check import BooksCheck, books_of
    from service.wiring import SystemClock

    async def check() -> int:
        log_file = Dirs(settings.var_dir / "pbx", settings.recordings_dir).event_log
        async with books_of(settings) as (ledger, audit):
            found = await BooksCheck(log_file, ledger, audit, SystemClock(), repair=options.repair).run()
        for line in found.differences:
            print(line)
        print(f"{found.calls} calls in Asterisk's event log, {len(found.differences)} differences", end="")
        print(f", {found.added} events added to the books" if options.repair else "")
        return 1 if found.differences else 0

    return asyncio.run(check())


def _books_settle(settings: Settings, options: argparse.Namespace) -> int:
    from service.books_check import books_of
    from service.wiring import SystemClock

    async def settle() -> int:
        async with books_of(settings) as (_, audit):
            settled = await audit.settle(SystemClock().now(), options.keys)
        print(f"{settled} settled")
        return 0 if settled else 1

    return asyncio.run(settle())


def _agent(settings: Settings, options: argparse.Namespace) -> int:
    from service.agents import run_agent_command

    for line in asyncio.run(run_agent_command(settings, options.action, options.number, options.reason)):
        print(line)
    return 0


def _outage_list(settings: Settings, options: argparse.Namespace) -> int:
    from service.outage_book import listed

    return _with_outages(settings, lambda book, clock: listed(settings, book, clock, options.days))


def _outage_maintenance(settings: Settings, options: argparse.Namespace) -> int:
    from service.outage_book import announced

    start, end, reason = options.start, options.end, options.reason
    return _with_outages(
        settings, lambda book, clock: announced(settings, book, clock, start, end, reason, options.components)
    )


def _outage_cancel(settings: Settings, options: argparse.Namespace) -> int:
    from service.outage_book import cancelled

    return _with_outages(settings, lambda book, clock: cancelled(book, clock, options.number))


def _with_outages(settings: Settings, action: Callable[[OutageBook, Clock], Awaitable[list[str]]]) -> int:
    from service.outage_book import outage_book
    from service.wiring import SystemClock

    async def act() -> list[str]:
        async with outage_book(settings) as book:
            return await action(book, SystemClock())

    for line in asyncio.run(act()):
        print(line)
    return 0
