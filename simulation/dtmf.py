"""Key presses as captures that SIPp can play: RFC 4733 events, payload type 101.

SIPp's own captures all carry the same RTP time stamps, so a second press of a key would be taken for a repeat
of the first; here every press has its own.
"""

from __future__ import annotations

import struct
from pathlib import Path

KEYS = "0123456789*#"

_PAYLOAD = 101
_STEP_S = 0.02
_STEP_SAMPLES = 160
_PACKETS = 5
_ENDS = 3
_VOLUME = 10


def write_press(path: Path, key: str, press: int) -> None:
    """Write the capture of the ``press``-th press (0, 1, …) of a call."""
    packets = []
    for number in range(_PACKETS + _ENDS):
        end = number >= _PACKETS
        flags = (0x80 if end else 0) | _VOLUME
        duration = _STEP_SAMPLES * min(number + 1, _PACKETS + 1)
        event = struct.pack(">BBH", KEYS.index(key), flags, duration)
        marker = 0x80 if number == 0 else 0
        sequence, stamp = 1000 + press * 100 + number, 8000 * (press + 1)
        rtp = struct.pack(">BBHII", 0x80, marker | _PAYLOAD, sequence, stamp, 0x5353) + event
        packets.append(_capture(number * _STEP_S, rtp))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(packets))


def _capture(at_s: float, payload: bytes) -> bytes:
    udp = struct.pack(">HHHH", 10000, 10000, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    frame = bytes(12) + b"\x08\x00" + ip + udp
    seconds, micros = divmod(round(at_s * 1_000_000), 1_000_000)
    return struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame
