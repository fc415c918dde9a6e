"""The answer of a target."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import BadStatus

if TYPE_CHECKING:
    from typing_extensions import Self

    from silkline import Headers, Request

__all__ = ["Response"]

# The first client error; what is below is no failure of a request.
_BAD = 400


@dataclass(frozen=True, eq=False)
class Response:
    """The answer of a target, with its whole body.

    >>> from silkline import Headers, Request
    >>> from silkline.aio import Response
    >>> headers = Headers({"Content-Type": "application/json"})
    >>> request = Request("GET", "http://example.com/")
    >>> response = Response(200, headers, b'{"a": 1}', request)
    >>> response, response.ok, response.url, response.json()
    (<Response 200 of 'http://example.com/'>, True, 'http://example.com/', {'a': 1})
    """

    status: int
    """The status."""
    headers: Headers
    """The headers; a content coding that they name is undone in the body."""
    body: bytes = field(repr=False)
    """The body."""
    request: Request = field(repr=False)
    """The request that it answers: after redirects, the last one."""
    session: str | None = None
    """The id of the session that it came through; `None` outside sessions."""
    session_name: str | None = None
    """The name that the session was asked for by."""
    outgoing: str | None = None
    """The address that the request left from, as the service spells it, if it told."""
    attempts: int = 1
    """How often the request was sent, with those of redirects before it."""
    billed: int = 0
    """How many of the attempts are known to be billed."""
    possibly_billed: int = 0
    """Of how many nobody knows, because their answer was lost."""
    elapsed: float = 0.0
    """How many seconds it took, with the wait for a session and for redirects before it."""
    history: tuple[Response, ...] = field(default=(), repr=False)
    """The redirects that led here, the first one first."""

    @property
    def url(self) -> str:
        """What was fetched: after redirects, where they led."""
        return self.request.url

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < _BAD

    @property
    def encoding(self) -> str:
        """The encoding of a text: as the headers say, or UTF-8."""
        if self.body.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        content_type = self.headers.get("Content-Type") or ""
        for parameter in content_type.split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                try:
                    return codecs.lookup(value.strip().strip("\"'")).name
                except LookupError:
                    break
        return "utf-8"

    def text(self, encoding: str | None = None) -> str:
        """The body as text; what cannot be decoded becomes U+FFFD."""
        return self.body.decode(encoding or self.encoding, "replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def raise_for_status(self) -> Self:
        """Raises `BadStatus` if the status is 400 or above."""
        if not self.ok:
            text = f"the target answered with status {self.status}"
            raise BadStatus(text, status=self.status, response=self)
        return self

    def __repr__(self) -> str:
        return f"<Response {self.status} of {self.url!r}>"
