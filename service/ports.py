"""Whether the ports we need are free, asked before anything is started."""

from __future__ import annotations

import socket

from calls.errors import SettingsError
from service.settings import Settings


def check_ports(settings: Settings, *, monitoring: bool = False) -> None:
    """With ``monitoring`` also the two that it needs.

    Raises SettingsError that names every port in use, what it is for, and the setting to change."""
    local, sip = "127.0.0.1", settings.sip
    wanted = [
        ("ports.ami", "Asterisk's manager interface", socket.SOCK_STREAM, local, settings.ports.ami),
        ("ports.agi", "the menu service", socket.SOCK_STREAM, local, settings.ports.agi),
        ("ports.web", "the live page", socket.SOCK_STREAM, local, settings.ports.web),
        ("sip.port", "SIP", socket.SOCK_DGRAM, sip.address, sip.port),
    ]
    if monitoring:
        ports = settings.ports
        wanted += [
            ("ports.prometheus", "Prometheus", socket.SOCK_STREAM, local, ports.prometheus),
            ("ports.alertmanager", "Alertmanager", socket.SOCK_STREAM, local, ports.alertmanager),
        ]
    taken = [
        f"  {kind} port {port} on {host} is not free ({purpose}; setting {name}): {reason}"
        for name, purpose, kind_number, host, port in wanted
        for kind in ["TCP" if kind_number is socket.SOCK_STREAM else "UDP"]
        if (reason := _refusal(kind_number, host, port))
    ]
    if taken:
        raise SettingsError(
            "\n".join(["is Sansheng, or another Asterisk, running already?", *taken])
            + "\nStop the other program, or choose other ports in sansheng.toml."
        )


def _refusal(kind: socket.SocketKind, host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As the servers themselves do: a port that was closed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
