"""Templates of the console, compiled once in a process: each test has a console of its own with the same pages."""

from __future__ import annotations

from functools import partial

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from console import page, painter


class _Compiled(BytecodeCache):
    """What the templates of one kind of environment were compiled to."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


def compile_once() -> None:
    """From now on, in this process."""
    for module in (page, painter):
        if module.Environment is Environment:
            module.Environment = partial(Environment, bytecode_cache=_Compiled())  # type: ignore[assignment,misc]
