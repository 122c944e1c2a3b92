"""Where a run takes place: what two runs beside each other must not share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench.faults.plan import ROSTER
from service.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Ground:
    """``hosts``: the first three numbers of addresses on loopback; ``first_port``: the first of 1,000 ports.

    ``var_dir`` must be short: a socket lies below it.
    """

    var_dir: Path
    asterisk_dir: Path
    hosts: str
    first_port: int

    @property
    def asterisk(self) -> tuple[str, int]:
        """Asterisk's address and SIP port."""
        return f"{self.hosts}.10", self.first_port + 60

    @property
    def callers(self) -> str:
        return f"{self.hosts}.11"

    @property
    def agents(self) -> str:
        return f"{self.hosts}.12"

    @property
    def caller_ports(self) -> range:
        """Sixteen for each caller, on an address of their own, and time to be free again.

        SIP, control and sound take six; what SIPp plays from a file takes others behind them. If those were the
        next caller's, Asterisk would send one caller's sound to the other's ear as well.
        """
        return range(self.first_port, self.first_port + 2000, 16)

    @property
    def agent_ports(self) -> range:
        return range(self.first_port + 200, self.first_port + 400, 8)

    @property
    def register_port(self) -> int:
        return self.first_port + 100

    @property
    def ami_port(self) -> int:
        """Asterisk's own; the service knows another one, from which a wire that can be cut leads here."""
        return self.first_port + 38

    @property
    def wire_port(self) -> int:
        return self.first_port + 39

    def settings(self, database_url: str, priority_numbers: tuple[str, ...]) -> tuple[Settings, Settings, Path]:
        """Asterisk's settings, the service's, and the file that tells them to the service."""
        self.var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = self.var_dir / "priority-numbers.txt"
        numbers.write_text("\n".join(priority_numbers) + "\n")
        files = []
        for name, ami in (("asterisk", self.ami_port), ("service", self.wire_port)):
            files.append(self.var_dir / f"{name}.toml")
            files[-1].write_text(self._text(database_url, numbers, ami), encoding="utf-8")
        return load_settings(files[0]), load_settings(files[1]), files[1]

    def _text(self, database_url: str, numbers: Path, ami: int) -> str:
        roster = "".join(
            f'[[agents]]\nnumber = "{agent.number}"\nsections = {json.dumps(agent.sections)}\n' for agent in ROSTER
        )
        address, port = self.asterisk
        return f"""# Written by the benchmark.
var_dir = {json.dumps(str(self.var_dir))}
asterisk_dir = {json.dumps(str(self.asterisk_dir))}
instance = "faults"
database_url = {json.dumps(database_url)}
priority_numbers_file = {json.dumps(str(numbers))}
rehearse_at = 2026-11-24T10:00:00

[queueing]
wrap_up_s = 0

[sip]
address = "{address}"
port = {port}
rtp_first_port = {self.first_port + 400}
rtp_last_port = {self.first_port + 999}

[reliability]
synthetic_every_s = 0

[ports]
ami = {ami}
agi = {self.first_port + 73}
web = {self.first_port + 80}

[[trunks]]
name = "city"
match = "{self.callers}"

{roster}"""
