"""What callers' numbers and names can be made of by somebody who means harm. None of it may have any effect."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support_checks import CANARY


@dataclass(frozen=True)
class Attack:
    """A caller's number and name as they go into SIP, and the number that the books must hold."""

    what: str
    number: str
    stored: str | None
    name: str = ""


_FORGED = "Event%3A%20Forged%0d%0a%0d%0aAction%3A%20Command%0d%0aCommand%3A%20core%20stop%20now"

HOSTILE = [
    Attack("line breaks in the number", f"138%0d%0a{_FORGED}", "138"),
    Attack("line breaks in the name", "13800000005", "13800000005", name=f"x%0d%0a{_FORGED}"),
    Attack("quotes", "13'8%22%27%5C9)%7D%5D", "1389"),
    Attack("a dialplan function", f"%24%7BSHELL(touch%20{CANARY})%7D12345", "12345"),
    Attack("an expression", "$%5B1+1%5D23456", "1+123456"),
    Attack("a function in the name", "13800000006", "13800000006", name=f"${{SHELL(touch {CANARY})}}"),
    Attack("1 kB of digits", "1" * 1024, "1" * 20),
    Attack("4 kB of digits", "1" * 4096, None),
    Attack("4 kB of a name", "13800000007", None, name="王" * 1365),
    Attack("another script", "%E7%8E%8B%E5%B0%8F%E6%98%8E13812345678", "13812345678", name="王小明🙂"),
    Attack("SQL", "12345';DROP%20TABLE%20calls;--", "12345"),
    Attack("HTML in the name", "13800000008", "13800000008", name="<script>alert(1)</script>"),
    Attack("separators", "1,2%7C3&4%5E5%3A6;7", "123456"),
    Attack("no number at all", "", None),
]
