"""Simulated people: the scenarios and captures that SIPp is given."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.dtmf import KEYS, write_press
from simulation.scenario_xml import agent_xml, caller_xml, register_xml
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Press, Refer, Speak, Wait


def elements(xml: str) -> list[ElementTree.Element]:
    """The scenario's steps; an error if it is not well-formed."""
    return list(ElementTree.fromstring(xml.encode("utf-8")))


def sent(xml: str) -> list[str]:
    """The SIP messages that are sent, by their text."""
    return [(step.text or "").strip("\n") for step in elements(xml) if step.tag == "send"]


# ── Scenarios ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_from_dialling_to_hanging_up(tmp_path: Path) -> None:
    steps = (Wait(1.5), Press("1"), Speak(Path("/sounds/hello.ul")), Wait(2), HangUp())
    xml = caller_xml(CallerScript(steps), tmp_path)
    messages = sent(xml)
    assert [message.split(" ")[0] for message in messages] == ["INVITE", "ACK", "BYE"]
    assert "From: <sip:13800138000@" in messages[0]
    assert messages[0].startswith("INVITE sip:95000@")
    assert "telephone-event/8000" in messages[0]
    tags = [step.tag for step in elements(xml) if step.tag != "recv"]
    assert tags == ["send", "send", "pause", "nop", "pause", "nop", "pause", "send"]
    assert [step.get("milliseconds") for step in elements(xml) if step.tag == "pause"] == ["1500", "500", "2000"]
    assert 'rtp_stream="/sounds/hello.ul,1,0,PCMU/8000"' in xml


def test_each_press_has_a_capture_of_its_own(tmp_path: Path) -> None:
    xml = caller_xml(CallerScript(tuple(map(Press, "1*1#"))), tmp_path)
    captures = re.findall(r'play_pcap_audio="([^"]+)"', xml)
    assert len(set(captures)) == 4
    assert all(Path(capture).is_file() for capture in captures)
    stamps = [next(packets(Path(capture))).stamp for capture in captures]
    assert len(set(stamps)) == 4


def test_a_caller_who_waits_for_the_other_side(tmp_path: Path) -> None:
    xml = caller_xml(CallerScript((AwaitHangUp(),)), tmp_path)
    assert [message.split(" ")[0] for message in sent(xml)] == ["INVITE", "ACK", "SIP/2.0"]
    assert elements(xml)[-2].get("request") == "BYE"


def test_an_agent_hands_on_and_lets_go_once_that_is_done() -> None:
    xml = agent_xml(AgentScript(steps=(Wait(1), Refer("*33"))))
    asked, _, told, bye = sent(xml)[-4:]
    assert asked.startswith("REFER [next_url]")
    assert "Refer-To: <sip:*33@" in asked
    assert asked.count("Contact:") == 1
    assert (told.split("\n")[0], bye.split(" ")[0]) == ("SIP/2.0 200 OK", "BYE")
    assert 'regexp="SIP/2.0 200"' in xml


def test_a_refusal_is_expected_and_the_talk_goes_on() -> None:
    xml = agent_xml(AgentScript(steps=(Refer("1002", refused="404", replaces="a%40b"), HangUp())))
    asked, _, told, bye = sent(xml)[-4:]
    assert "Refer-To: <sip:1002@[local_ip]?Replaces=a%40b>" in asked
    assert told.startswith("SIP/2.0 200 OK")
    order = [int(line.split()[1]) for message in (asked, bye) for line in message.split("\n") if "CSeq" in line]
    assert order == sorted(set(order))
    assert 'regexp="SIP/2.0 404"' in xml
    assert [step.get("response") for step in elements(xml) if step.tag == "recv"][-3:] == ["202", None, "200"]
    declined = agent_xml(AgentScript(steps=(Refer("1002", declined="603"), HangUp())))
    assert [step.get("response") for step in elements(declined) if step.tag == "recv"][-2:] == ["603", "200"]


HOSTILE = [
    "a&b<c>d",
    'quote " and \\ backslash',
    "${SHELL(reboot)}",
    "'; DROP TABLE calls; --",
    "三声",
    "x" * 4096,
    "]]",
    "%0d%0aEvil: yes",
    "a\r\n b",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_reach_sip_as_they_are(tmp_path: Path, value: str) -> None:
    xml = caller_xml(CallerScript((HangUp(),), number=value, name=value, dialled="95000"), tmp_path)
    invite = sent(xml)[0]
    as_parsed = value.replace("\r\n", "\n")  # XML has one kind of line break
    assert f"<sip:{as_parsed}@" in invite
    assert f'"{as_parsed}" <sip:' in invite


def test_the_end_of_a_character_section_does_not_end_the_scenario(tmp_path: Path) -> None:
    xml = caller_xml(CallerScript((HangUp(),), name="a]]>b"), tmp_path)
    assert '"a]]>b" <sip:' in sent(xml)[0]


def test_an_agent_rings_answers_and_listens() -> None:
    xml = agent_xml(AgentScript(ring_s=2.5))
    messages = [message.split("\n")[0] for message in sent(xml)]
    assert messages == ["SIP/2.0 180 Ringing", "SIP/2.0 200 OK", "SIP/2.0 200 OK"]
    assert [step.get("milliseconds") for step in elements(xml) if step.tag == "pause"] == ["2500"]
    assert "a=rtpmap:9 G722/8000" in sent(xml)[1]


def test_an_agent_refuses() -> None:
    xml = agent_xml(AgentScript(ring_s=0, refuse="486 Busy Here"))
    assert [message.split("\n")[0] for message in sent(xml)] == ["SIP/2.0 180 Ringing", "SIP/2.0 486 Busy Here"]
    assert elements(xml)[-1].get("request") == "ACK"


def test_an_agent_hangs_up_along_the_dialog() -> None:
    bye = sent(agent_xml(AgentScript(steps=(Wait(1), HangUp()))))[-1]
    assert bye.startswith("BYE [next_url]")
    assert "From: [$to];tag=" in bye
    assert "To: [$from]" in bye


@pytest.mark.parametrize(("payload", "name"), [(9, "G722"), (8, "PCMA"), (0, "PCMU")])
def test_an_agents_telephone_speaks_the_codec_it_is_told(payload: int, name: str) -> None:
    xml = agent_xml(AgentScript(payload=payload, steps=(Speak(Path("/s.raw"), -1),)))
    assert f"m=audio [media_port] RTP/AVP {payload}" in xml
    assert f'rtp_stream="/s.raw,-1,{payload},{name}/8000"' in xml


def test_agents_press_no_keys() -> None:
    with pytest.raises(ValueError, match="press"):
        agent_xml(AgentScript(steps=(Press("1"),)))


def test_a_registration_answers_the_challenge() -> None:
    xml = register_xml()
    assert [step.get("response") for step in elements(xml) if step.tag == "recv"] == ["401", "200"]
    first, second = sent(xml)
    assert "[field1]" not in first
    assert "[field1]" in second


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Packet:
    """One RTP packet of a capture."""

    at_s: float
    payload: int
    marker: bool
    sequence: int
    stamp: int
    key: str
    end: bool
    duration: int


def packets(capture: Path) -> Iterator[Packet]:
    """A reader of captures: pcap, Ethernet, IPv4, UDP, RTP, RFC 4733."""
    data = capture.read_bytes()
    magic, major, minor, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, link) == (0xA1B2C3D4, 2, 4, 1)
    place = 24
    while place < len(data):
        seconds, micros, kept, whole = struct.unpack_from("<IIII", data, place)
        assert kept == whole
        assert micros < 1_000_000
        frame = data[place + 16 : place + 16 + kept]
        assert len(frame) == kept
        place += 16 + kept
        assert frame[12:14] == b"\x08\x00"
        ip = frame[14:]
        assert (ip[0], ip[9]) == (0x45, 17)
        assert struct.unpack_from(">H", ip, 2) == (len(ip),)
        udp = ip[20:]
        assert struct.unpack_from(">H", udp, 4) == (len(udp),)
        version, kind, sequence, stamp, _source = struct.unpack_from(">BBHII", udp, 8)
        assert version == 0x80
        event, flags, duration = struct.unpack_from(">BBH", udp, 20)
        assert len(udp) == 24
        yield Packet(
            seconds + micros / 1_000_000,
            kind & 0x7F,
            bool(kind & 0x80),
            sequence,
            stamp,
            KEYS[event],
            bool(flags & 0x80),
            duration,
        )


@pytest.mark.parametrize("key", KEYS)
def test_a_press_is_one_event(tmp_path: Path, key: str) -> None:
    write_press(tmp_path / "press.pcap", key, 0)
    told = list(packets(tmp_path / "press.pcap"))
    assert {packet.key for packet in told} == {key}
    assert {packet.payload for packet in told} == {101}
    assert len({packet.stamp for packet in told}) == 1
    assert [packet.marker for packet in told] == [True] + [False] * (len(told) - 1)
    assert [packet.end for packet in told] == [False] * 5 + [True] * 3
    assert all(later.sequence == earlier.sequence + 1 for earlier, later in pairwise(told))
    assert all(later.duration >= earlier.duration for earlier, later in pairwise(told))
    assert all(later.at_s > earlier.at_s for earlier, later in pairwise(told))
    assert told[-1].duration == 6 * 160
    assert len({packet.duration for packet in told[-3:]}) == 1  # the end is told three times, alike


@given(presses=st.lists(st.sampled_from(KEYS), min_size=2, max_size=12))
def test_no_press_can_be_taken_for_a_repeat(tmp_path_factory: pytest.TempPathFactory, presses: list[str]) -> None:
    folder = tmp_path_factory.mktemp("keys")
    seen = []
    for number, key in enumerate(presses):
        write_press(folder / f"{number}.pcap", key, number)
        seen.append(list(packets(folder / f"{number}.pcap")))
    stamps = [told[0].stamp for told in seen]
    assert stamps == sorted(set(stamps))
    sequences = [packet.sequence for told in seen for packet in told]
    assert sequences == sorted(set(sequences))


def test_a_key_that_no_telephone_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="substring"):
        write_press(tmp_path / "x.pcap", "x", 0)
