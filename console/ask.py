"""What a page is asked, in typed parts: taken off the wire before the handler runs, which may be elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from multidict import MultiDict, MultiDictProxy

from calls.people import Person, Right, Scope
from console.texts import Texts


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form."""

    name: str
    """As the browser said it: never a path to write to."""
    content_type: str
    body: bytes


def _nothing() -> MultiDictProxy[str]:
    return MultiDictProxy(MultiDict())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, let in by the gate."""

    method: str
    path: str
    texts: Texts
    """The reader's language."""
    person: Person | None
    """``None`` only on pages that anyone may see."""
    csrf: str = ""
    """The token that this person's forms carry in the field ``csrf``."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Parts of the path."""
    query: MultiDictProxy[str] = field(default_factory=_nothing)
    form: MultiDictProxy[str] = field(default_factory=_nothing)
    uploads: Mapping[str, Upload] = field(default_factory=dict)
    body: bytes = b""
    """Of requests that are no form."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Whatever their case; without the cookies and tokens, which are the gate's business."""
    remote: str = ""
    """The address that it came from; behind a proxy, the one that the proxy tells."""
    flash: str = ""
    """The key of a text that the form before this page left to be shown once."""
    session: str = ""
    """The session's id in the books; empty for nobody, and for tokens."""

    @property
    def who(self) -> Person:
        """Who asks, on a page that needs somebody."""
        assert self.person is not None, "the route lets nobody in without a name"
        return self.person

    def scope(self, right: Right) -> Scope:
        """How far the asker's right reaches."""
        return self.who.scope(right)

    @property
    def partial(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.headers.get("HX-Request") == "true"
