"""AGI's bytes: tables of what Asterisk sends, and fuzz for what it never should."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calls.errors import AgiGarbage, UnsafeValue
from ivr.agi import wire
from ivr.agi.session import AgiRequest
from ivr.agi.wire import Hangup, Line, Refusal, Success, Trying

REPLIES: list[tuple[bytes, Line]] = [
    (b"200 result=0\n", Success(0)),
    (b"200 result=0", Success(0)),
    (b"200 result=1 (zh-CN)\n", Success(1, "zh-CN")),
    (b"200 result=1 ()\n", Success(1)),
    (b"200 result=49 endpos=16160\n", Success(49, endpos=16160)),
    (b"200 result=-1 endpos=0\n", Success(-1)),
    (b"200 result=-2\n", Success(-2)),
    (b"200 result=12 (timeout)\n", Success(12, "timeout")),
    (b"200 result=0 (timeout) endpos=80\n", Success(0, "timeout", 80)),
    (b"200 result= (timeout)\n", Success(None, "timeout")),
    (b"200 result=1 (hangup)\n", Success(1, "hangup")),  # a value, not a hang-up
    (b"200 result=-1 (hangup)\n", Success(-1, "hangup")),
    (b"200 result=1 (a=b (c) result=-1)\n", Success(1, "a=b (c) result=-1")),
    (b"200 result=1 (x) endpos=5)\n", Success(1, "x) endpos=5")),
    (b"200 result=1 (\xe5\xbc\xa0\xe4\xb8\x89)\n", Success(1, "张三")),
    (b"200 result=1 (\xd5\xc5\xc8\xfd)\n", Success(1, "\ufffd\ufffd\ufffd\ufffd")),  # 张三 in GBK
    (b"100 result=0 Trying...\n", Trying()),
    (b"HANGUP\n", Hangup()),
    (b"510 Invalid or unknown command\n", Refusal(510)),
    (b"511 Command Not Permitted on a dead channel or intercept routine\n", Refusal(511)),
    (b"520 Invalid command syntax.  Proper usage not available.\n", Refusal(520)),
    (b"520-Invalid command syntax.  Proper usage follows:\n", Refusal(520, usage_follows=True)),
]

GARBAGE = [
    b"",
    b"\n",
    b"200",
    b"200 \n",
    b"200 result=\n",
    b"200 result=abc\n",
    b"200 result=1234567890\n",
    b"200 result=1 (first line of two\n",
    b"200 result=0\r\n",
    b"200 result=0\n200 result=1\n",
    b"404 Not Found\n",
    b"5100 result=0\n",
    b"hangup\n",
    b"HANGUP511 Command Not Permitted\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\x02\x00\x01\xfc\x03",
    b"a" * 65_536,
    b"200 result= (" + b"a" * 65_536 + b")",  # panoramisk alone needs minutes for this one
    "٢٠٠ result=0\n".encode(),
]


@pytest.mark.parametrize(("raw", "line"), REPLIES)
def test_reply_is_understood(raw: bytes, line: Line) -> None:
    assert wire.parse_line(raw) == line


@pytest.mark.parametrize("raw", GARBAGE)
def test_anything_else_is_garbage(raw: bytes) -> None:
    with pytest.raises(AgiGarbage):
        wire.parse_line(raw)


@given(st.binary(max_size=300))
@example(b"9" * 5000)
@example(b"200 result=1 " + b"(" * 5000)
@example(b"200 result=1 (" + b"()" * 5000)
def test_no_bytes_raise_anything_but_garbage(raw: bytes) -> None:
    try:
        wire.parse_line(raw)
    except AgiGarbage:
        return


@given(
    st.from_regex(
        r"(100|200|510|511|520|HANGUP)[ -]?(result=)?-?[0-9]{0,12}( \(.*)?( endpos=.*)?\n?", fullmatch=True
    )
)
def test_no_near_reply_raises_anything_but_garbage(text: str) -> None:
    try:
        wire.parse_line(text.encode("utf-8", "replace"))
    except AgiGarbage:
        return


@given(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=60))
def test_a_value_comes_back_whole(value: str) -> None:
    assert wire.parse_line(f"200 result=1 ({value})\n".encode()) == Success(1, value)


@pytest.mark.parametrize(
    ("result", "digit"), [(0, None), (None, None), (48, "0"), (57, "9"), (42, "*"), (35, "#"), (68, "D")]
)
def test_digit(result: int | None, digit: str | None) -> None:
    assert Success(result).digit == digit


@pytest.mark.parametrize("result", [1, -1, 47, 69, 97, 200, 99_999_999])
def test_a_result_that_is_no_key_is_garbage(result: int) -> None:
    with pytest.raises(AgiGarbage):
        _ = Success(result).digit


@pytest.mark.parametrize(
    ("raw", "last"),
    [
        (b"520 End of proper usage.\n", True),
        (b"Returns 0 if successful.520 End of proper usage.\n", True),
        (b"Usage: ANSWER\n", False),
        (b"\xff\n", False),
    ],
)
def test_end_of_a_long_520(raw: bytes, last: bool) -> None:
    assert wire.ends_usage(raw) is last


COMMANDS: list[tuple[tuple[str, ...], bytes]] = [
    (("ANSWER",), b"ANSWER\n"),
    (("STREAM FILE", "zh/welcome", ""), b'STREAM FILE "zh/welcome" ""\n'),
    (("SET VARIABLE", "A", 'say "hi"'), b'SET VARIABLE "A" "say \\"hi\\""\n'),
    (("SET VARIABLE", "A", "\\"), b'SET VARIABLE "A" "\\\\"\n'),
    (("VERBOSE", "三声", "3"), 'VERBOSE "三声" "3"\n'.encode()),
    (("VERBOSE", "\udc80", "3"), b'VERBOSE "?" "3"\n'),
]


@pytest.mark.parametrize(("parts", "line"), COMMANDS)
def test_command(parts: tuple[str, ...], line: bytes) -> None:
    assert wire.render_command(*parts) == line


@pytest.mark.parametrize("value", ["a\nHANGUP", "a\rb", "a\0b", "长" * 700])
def test_unsafe_argument_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(UnsafeValue) as caught:
        wire.render_command("SET VARIABLE", "NAME", value)
    assert value not in str(caught.value)


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=40)))
def test_arguments_stay_apart(arguments: list[str]) -> None:
    line = wire.render_command("X", *arguments)
    assert line.count(b"\n") == 1
    assert shlex.split(line.decode()) == ["X", *arguments]  # the same rules for quotes and backslashes


HEADER = (
    "agi_network: yes\nagi_network_script: menu?from=a\nagi_request: agi://127.0.0.1/menu?from=a\n"
    "agi_channel: PJSIP/trunk-00000001\nagi_language: zh\nagi_uniqueid: 1700000000.7\n"
    "agi_callerid: 13800138000\n"
    'agi_calleridname: 张三: the "third"\nagi_dnid: 12306\nagi_extension: s\nagi_accountcode: \n'
    "agi_arg_1: one\nagi_arg_2: \nagi_arg_3: three\n\n"
).encode()


def test_request_is_understood() -> None:
    assert AgiRequest.from_header(HEADER) == AgiRequest(
        call_id="1700000000.7",
        channel="PJSIP/trunk-00000001",
        route="menu",
        language="zh",
        dialled_number="12306",
        caller_number="13800138000",
        caller_name='张三: the "third"',
        arguments=("one", "", "three"),
    )


def test_request_does_not_show_who_calls() -> None:
    shown = repr(AgiRequest.from_header(HEADER))
    assert "1700000000.7" in shown
    assert "13800138000" not in shown
    assert "张三" not in shown


def test_what_asterisk_does_not_know_is_none() -> None:
    raw = HEADER.replace(b"13800138000", b"unknown").replace(b"dnid: 12306", b"dnid: unknown")
    request = AgiRequest.from_header(raw.replace('张三: the "third"'.encode(), b"unknown"))
    assert (request.caller_number, request.caller_name, request.dialled_number) == (None, None, "s")


def test_name_that_is_not_utf8_is_kept_as_far_as_it_goes() -> None:
    request = AgiRequest.from_header(HEADER.replace("张三".encode(), b"\xd5\xc5\xc8\xfd"))
    assert request.caller_name == '\ufffd\ufffd\ufffd\ufffd: the "third"'


@pytest.mark.parametrize(
    "raw",
    [
        b"\n\n",
        HEADER.replace(b"agi_uniqueid: 1700000000.7\n", b""),
        HEADER.replace(b"1700000000.7", b"17 00"),
        HEADER.replace(b"1700000000.7", b"1" * 151),
        HEADER.replace(b"agi_channel: PJSIP/trunk-00000001\n", b""),
        HEADER.replace("张三".encode(), b"x\nagi_dnid: 110"),  # a line break in the name forges a field
        b"agi_arg_1: x\n" * 2 + HEADER,
        b"x\n" * 201 + HEADER,
        b"agi_x: " + b"x" * wire.MAX_READ_BYTES + b"\n" + HEADER,
    ],
)
def test_request_that_is_none_is_garbage(raw: bytes) -> None:
    with pytest.raises(AgiGarbage):
        AgiRequest.from_header(raw)


@given(st.binary(max_size=400), st.integers(0, len(HEADER)), st.integers(0, 40))
def test_no_header_raises_anything_but_garbage(noise: bytes, at: int, lost: int) -> None:
    for raw in (noise, HEADER[:at] + noise + HEADER[at + lost :]):
        try:
            AgiRequest.from_header(raw)
        except AgiGarbage:
            continue
