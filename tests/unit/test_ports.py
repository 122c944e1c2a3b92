"""Ports are asked for before anything is started, and every one that is taken is named."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from calls.errors import SettingsError
from service.ports import check_ports
from service.settings import Settings
from tests.support_ports import free_port

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


@contextlib.contextmanager
def taken(kind: socket.SocketKind) -> Iterator[int]:
    """A loopback port that somebody has."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind is TCP:
            holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def settings() -> Settings:
    sip = {"port": free_port(UDP), "rtp_first_port": 1024, "rtp_last_port": 1025}
    return Settings.model_validate(
        {"ports": {"ami": free_port(TCP), "agi": free_port(TCP), "web": free_port(TCP)}, "sip": sip}
    )


def with_port(settings: Settings, name: str, port: int) -> Settings:
    part, _, key = name.partition(".")
    data = settings.model_dump()
    data[part][key] = port
    return Settings.model_validate(data)


def test_free_ports_pass_and_stay_free(settings: Settings) -> None:
    check_ports(settings)
    check_ports(settings)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("ports.ami", TCP, "manager interface"),
        ("ports.agi", TCP, "menu service"),
        ("ports.web", TCP, "live page"),
        ("sip.port", UDP, "SIP"),
    ],
)
def test_a_taken_port_is_named_with_its_setting(
    settings: Settings, name: str, kind: socket.SocketKind, said: str
) -> None:
    with taken(kind) as port, pytest.raises(SettingsError) as refused:
        check_ports(with_port(settings, name, port))
    text = str(refused.value)
    assert f"port {port} on 127.0.0.1" in text
    assert f"setting {name}" in text
    assert said in text
    assert text.count("is not free") == 1


def test_all_of_them_at_once(settings: Settings) -> None:
    with taken(TCP) as web, taken(UDP) as sip, pytest.raises(SettingsError) as refused:
        check_ports(with_port(with_port(settings, "ports.web", web), "sip.port", sip))
    assert f"TCP port {web}" in str(refused.value)
    assert f"UDP port {sip}" in str(refused.value)


def test_the_same_number_of_the_other_protocol_is_no_obstacle(settings: Settings) -> None:
    with taken(UDP) as port:
        check_ports(with_port(settings, "ports.web", port))


def test_an_address_that_this_machine_has_not(settings: Settings) -> None:
    data = settings.model_dump()
    data["sip"]["address"] = "192.0.2.1"
    with pytest.raises(SettingsError, match=r"on 192\.0\.2\.1 is not free .*setting sip\.port"):
        check_ports(Settings.model_validate(data))
