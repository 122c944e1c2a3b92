"""A PostgreSQL of the tests' own: installed if it is missing, thrown away with the process that started it.

It listens on a Unix socket in a temporary directory and nowhere else, so no port can clash, neither with a
PostgreSQL of the machine nor between the workers of a parallel run.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from itertools import count
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")
_START_S = 180
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")
_CARELESS = ("synchronous_commit=off",)
"""Loses the last commits when the server crashes; the rest of ``_FAST`` only when the machine does."""


class PostgresServer:
    """One server with its data in a temporary directory, running from construction until ``remove``.

    ``durable``: what was committed outlives an immediate stop (``stop(signal.SIGQUIT)``), as in service.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = tuple(setting for setting in _FAST if not (durable and setting in _CARELESS))
        self._bin = server_programs()
        self._dir = Path(tempfile.mkdtemp(prefix="sansheng-pg-"))
        self._names = count()
        self._said: deque[str] = deque(maxlen=50)
        self._process: subprocess.Popen[str] | None = None
        if os.geteuid() == 0:
            shutil.chown(self._dir, "postgres", "postgres")
        data = ("-D", str(self._dir / "data"), "-U", "postgres")
        self._run("initdb", *data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start the server (again); returns when it accepts connections."""
        options = [part for setting in (*self._settings, "listen_addresses=") for part in ("-c", setting)]
        arguments = ["-D", str(self._dir / "data"), "-k", str(self._dir), *options]
        self._process = subprocess.Popen(
            [*_as_postgres("--pdeathsig", "INT"), str(self._bin / "postgres"), *arguments],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._dir,
            env={**os.environ, "LC_ALL": "C"},
        )
        settled = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, settled), daemon=True).start()
        if not settled.wait(_START_S) or self._process.poll() is not None:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(self._said))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server at once, breaking its connections; its data stay. SIGQUIT: as a crash would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_START_S)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        shutil.rmtree(self._dir)

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of the one of that name."""
        name = f"ledger_{next(self._names)}"
        self._execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return f"postgresql://postgres@/{name}?host={self._dir}"

    def drop_database(self, url: str) -> None:
        """Drop what ``create_database`` made, even if somebody is still connected."""
        self._execute(f"DROP DATABASE {self.name_of(url)} WITH (FORCE)")

    @staticmethod
    def name_of(url: str) -> str:
        """The database's name."""
        return url.rpartition("?")[0].rpartition("/")[2]

    def _execute(self, sql: str) -> None:
        self._run("psql", "-X", "-q", "-h", str(self._dir), "-U", "postgres", "-c", sql)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the user who may."""
        done = subprocess.run(
            [*_as_postgres(), str(self._bin / program), *arguments],
            cwd=self._dir,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _listen(self, process: subprocess.Popen[str], settled: threading.Event) -> None:
        """Read what the server says to the end, so that it never blocks on a full pipe."""
        assert process.stderr
        with process.stderr:
            for line in process.stderr:
                self._said.append(line)
                if "ready to accept connections" in line:
                    settled.set()
        process.wait()
        settled.set()


@functools.cache
def postgres() -> PostgresServer:
    """The server that all tests of this process share; it ends with the process."""
    server = PostgresServer()
    atexit.register(server.remove)
    return server


def server_programs() -> Path:
    """The directory of ``postgres``, ``initdb`` and ``psql``; Debian's package is installed if there is none."""
    # Workers of a parallel run would get in each other's way.
    lock_file = Path(__file__).parent.parent / "var" / "postgresql.lock"
    lock_file.parent.mkdir(exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _installed()
        if not found:
            _install()
            found = _installed()
    if not found:
        raise RuntimeError(f"the package postgresql is installed, but {_DEBIAN}/*/bin/postgres is missing")
    return found


def _installed() -> Path | None:
    versions = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _install() -> None:
    if os.geteuid() != 0:
        raise RuntimeError("PostgreSQL's server is missing; as root: apt-get install postgresql")
    sys.stderr.write("installing PostgreSQL for the tests (apt-get install postgresql) …\n")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # The package would create and start a server for the whole machine; the tests only want its programs.
    no_cluster = Path("/etc/postgresql-common/createcluster.d/sansheng-tests.conf")
    no_cluster.parent.mkdir(parents=True, exist_ok=True)
    no_cluster.write_text("create_main_cluster = false\n")
    try:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
            done = subprocess.run(
                ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],
                env=quiet,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                raise RuntimeError(f"apt-get {arguments[0]} failed:\n{done.stdout[-2000:]}")
    finally:
        no_cluster.unlink()


def _as_postgres(*more: str) -> list[str]:
    """What runs a program as PostgreSQL's own user, since it refuses to serve as root."""
    user = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, *more] if user or more else []
