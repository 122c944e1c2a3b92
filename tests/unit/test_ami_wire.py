"""AMI's bytes: any cut of a stream gives the same messages; no field can become an action of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import AmiError, UnsafeValue
from ivr.ami.wire import AmiMessage, Framer, checked_fields, checked_name, parse_message

STREAM = (
    "Asterisk Call Manager/9.0.0\r\n"
    "Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
    "Event: Newchannel\r\nCallerIDName: 王小明🙂\r\nChanVariable: a=1\r\nChanVariable: b=2\r\n\r\n"
    "Response: Follows\r\nActionID: 2\r\nfirst\n  second\r\n\r\nEvent: Fake\r\n--END COMMAND--\r\n\r\n"
    "nonsense\r\n\r\n"
    "Event: Hangup\r\nAccountCode: \r\n\r\n"
).encode()

MESSAGES = [
    AmiMessage.of({"Response": "Success", "ActionID": "1", "Message": "Authentication accepted"}),
    AmiMessage.of({"Event": "Newchannel", "CallerIDName": "王小明🙂", "ChanVariable": ["a=1", "b=2"]}),
    AmiMessage.of({"Response": "Follows", "ActionID": "2", "Output": ["first", "  second", "", "Event: Fake"]}),
    AmiMessage.of({"Event": "Hangup", "AccountCode": ""}),
]


def read(pieces: list[bytes]) -> list[AmiMessage]:
    framer = Framer()
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return [message for frame in frames if (message := parse_message(frame)) is not None]


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_stream_is_read_as_it_was_meant() -> None:
    assert read([STREAM]) == MESSAGES


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_cut_of_the_stream_gives_the_same_messages(places: list[int]) -> None:
    assert read(cut_at(STREAM, places)) == MESSAGES


def test_byte_by_byte_with_every_character_cut() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == MESSAGES


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_garbage_never_raises_and_is_cut_alike(data: bytes, places: list[int]) -> None:
    assert read(cut_at(data, [min(p, len(data)) for p in places])) == read([data])


@given(st.binary(max_size=300).filter(lambda data: not data.startswith(b"Response: Follows")))
def test_a_message_after_garbage_is_read(garbage: bytes) -> None:
    assert read([garbage + b"\r\n\r\n", b"Event: Hangup\r\n\r\n"])[-1].event == "Hangup"


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    message = parse_message(b"Event: Newchannel\r\nCallerIDName: caf\xe9\r\nExten: 1")
    assert message is not None
    assert (message.get("calleridname"), message.get("Exten")) == ("caf�", "1")


def test_unfinished_message_is_bounded() -> None:
    framer = Framer(limit=100)
    framer.feed(b"x" * 100)
    with pytest.raises(AmiError):
        framer.feed(b"x")


def test_unfinished_command_output_is_bounded() -> None:
    framer = Framer(limit=100)
    with pytest.raises(AmiError):
        for _ in range(10):
            framer.feed(b"Response: Follows\r\n\r\n")


@pytest.mark.parametrize(
    ("frame", "event", "response"),
    [
        (b"Event: Hangup", "Hangup", None),
        (b"\r\nEvent: Hangup", "Hangup", None),
        (b"event:Hangup", "Hangup", None),
        (b"Response: Error\r\nMessage: no", None, "Error"),
        (b"Event: OriginateResponse\r\nResponse: Failure", "OriginateResponse", "Failure"),
    ],
)
def test_messages(frame: bytes, event: str | None, response: str | None) -> None:
    message = parse_message(frame)
    assert message is not None
    assert (message.event, message.response) == (event, response)


@pytest.mark.parametrize("frame", [b"", b"\r\n", b"Channel: x", b"Asterisk Call Manager/9.0.0", b": \r\n:"])
def test_what_is_no_message(frame: bytes) -> None:
    assert parse_message(frame) is None


@pytest.mark.parametrize(
    ("response", "refused"),
    [
        ("Success", False),
        ("Follows", False),
        ("Goodbye", False),
        ("Error", True),
        ("Failure", True),
        ("", True),
    ],
)
def test_refusals(response: str, refused: bool) -> None:
    assert AmiMessage.of({"Response": response}).refused is refused


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1700000000.123456", datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
    ],
)
def test_timestamp(text: str, moment: datetime | None) -> None:
    assert AmiMessage.of({"Timestamp": text}).timestamp == moment


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_timestamp_keeps_every_microsecond(seconds: int, micros: int) -> None:
    moment = AmiMessage.of({"Timestamp": f"{seconds}.{micros:06d}"}).timestamp
    assert moment == datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


def test_access() -> None:
    message = AmiMessage.of({"Event": "Newexten", "ChanVariable": ["a=1", "b=2"]})
    assert message.timestamp is None
    assert (message.get("EVENT"), message.get("chanvariable"), message.get("Exten")) == (
        "Newexten",
        "a=1",
        None,
    )
    assert message.get("Exten", "s") == "s"
    assert (message.all("ChanVariable"), message.all("event")) == (("a=1", "b=2"), ("Newexten",))
    assert message.all("Exten") == ()
    with pytest.raises(AttributeError):
        message.headers = {}  # type: ignore[misc]


def test_fields_are_gathered_in_order() -> None:
    fields = [("Channel", "Local/1"), ("Variable", "a=1"), ("Variable", "姓名=王"), ("Variable", "c=3")]
    assert checked_fields(fields) == {"Channel": "Local/1", "Variable": ["a=1", "姓名=王", "c=3"]}


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "\r\n", "x\r\n\r\nAction: Originate"])
def test_line_breaks_are_refused_in_values_and_keys(bad: str) -> None:
    for key, value in (("Data", bad), (bad, "x")):
        with pytest.raises(UnsafeValue):
            checked_fields({key: value})
    with pytest.raises(UnsafeValue):
        checked_name(bad)


@pytest.mark.parametrize("key", ["", "Data: x", "a b", "键", "Action", "actionid"])
def test_unusable_keys_are_refused(key: str) -> None:
    with pytest.raises(UnsafeValue):
        checked_fields({key: "x"})


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnsafeValue):
        checked_fields({"Data": "\ud83d"})


@given(st.text(), st.text())
def test_accepted_fields_are_one_line_each(key: str, value: str) -> None:
    try:
        fields = checked_fields({key: value})
    except UnsafeValue:
        return
    (written,) = (f"{k}: {v}".encode() for k, v in fields.items())
    assert not set(written) & set(b"\r\n\0")
