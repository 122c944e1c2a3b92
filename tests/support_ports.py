"""Ports of this machine for servers that cannot be told to choose one themselves."""

from __future__ import annotations

import random
import socket
from functools import cache

_FIRST, _COUNT = 10_000, 5000
"""Below those that the kernel gives to whoever connects somewhere: one of them could be taken by any client at any
moment before its server listens, or while the server is down."""


@cache
def _order() -> list[int]:
    """Another order in every process, so that parallel workers seldom ask for the same."""
    ports = list(range(_FIRST, _FIRST + _COUNT))
    random.SystemRandom().shuffle(ports)
    return ports


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on 127.0.0.1 that nobody has; given once in a process."""
    while True:
        port = _order().pop()
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
