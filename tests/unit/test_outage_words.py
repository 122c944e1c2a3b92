"""Why a component was out, in the reader's language; what nobody foresaw is shown as the probe said it."""

from __future__ import annotations

import pytest

from console.outage_words import told
from console.texts import LANGUAGES, load_texts

CHINESE, ENGLISH = (load_texts(language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("reason", "chinese", "english"),
    [
        ("the service was not running", "服务未运行", "the service was not running"),
        (
            "ProbeFailed: no worker transcribes: start one",
            "没有转写进程在工作",
            "no worker transcribes",
        ),
        (
            "ProbeFailed: nobody listens: [Errno 111] refused",
            "端口无应答",
            "nobody listens at the port",
        ),
        ("ProbeFailed: 1.4% of the disk is free", "磁盘剩余空间不足", "the disk is nearly full"),
        ("synthetic call: wrong_prompt", "拨测：提示音不符", "test call: a wrong prompt was heard"),
        ("TimeoutError: ", "超时无响应", "no answer in time"),
        ("OperationalError", "数据库无法连接", "the database cannot be reached"),
    ],
)
def test_a_known_reason_is_told_in_words(reason: str, chinese: str, english: str) -> None:
    assert (told(reason, CHINESE), told(reason, ENGLISH)) == (chinese, english)


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert told("<b>ValueError</b>: 7", CHINESE) == "<b>ValueError</b>: 7"
    assert told("", ENGLISH) == ""
