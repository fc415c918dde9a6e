"""What can go wrong: every exception of the package, under one base.

Three families: the program asked for something that cannot be (``Invalid...``, which are also
``ValueError``), the service refused or answered badly (`ServiceError`), and misuse of the API. An
error of one query inside an answer is data, not an exception.
"""

from __future__ import annotations

__all__ = [
    "InvalidApiKey",
    "InvalidFaults",
    "InvalidHeader",
    "InvalidMethod",
    "SilklineError",
]


class SilklineError(Exception):
    """The base of every exception that Silkline raises of its own.

    The data of an error are attributes, so that no program needs to read the message. Exceptions
    can be pickled and copied.

    >>> from silkline import Headers, SilklineError
    >>> try:
    ...     Headers({"a b": "c"})
    ... except SilklineError as error:
    ...     print(error.code, error)
    invalid_header_name header name `a b` is not a token
    """

    code: str = "silkline"
    """What went wrong, in a word that keeps its meaning in every version and language."""

    def __init__(self, message: str = "", /, **data: object) -> None:
        super().__init__(message)
        self.__dict__.update(data)


class InvalidApiKey(SilklineError, ValueError):
    """A key that cannot be sent. The key itself is never shown.

    >>> from silkline import InvalidApiKey, basic_authorization
    >>> try:
    ...     basic_authorization("two words")
    ... except InvalidApiKey as error:
    ...     print(error.code, error.position, error.length)
    api_key_invalid 3 9
    """

    position: int | None = None
    """Where the character stands that no key has, counted from 0."""
    length: int | None = None
    """How many characters the key has."""


class InvalidFaults(SilklineError, ValueError):
    """A fault script that cannot be read.

    >>> from silkline import InvalidFaults
    >>> from silkline.service import ExtractionService
    >>> try:
    ...     ExtractionService(faults='[{"then": {}}]')
    ... except InvalidFaults as error:
    ...     print(error.code, error.reason[:7])
    invalid_faults rule 0:
    """

    reason: str = ""
    """What is wrong and where."""


class InvalidHeader(SilklineError, ValueError):
    r"""A header that cannot be sent.

    >>> from silkline import Headers, InvalidHeader
    >>> try:
    ...     Headers({"Cookie": "a\r\nb"})
    ... except InvalidHeader as error:
    ...     print(error.code, error.name, error.position)
    invalid_header_value Cookie 1
    """

    name: str = ""
    """The header's name."""
    position: int | None = None
    """Where the character stands that no value may hold."""


class InvalidMethod(SilklineError, ValueError):
    """A text that is not an HTTP method.

    >>> from silkline import InvalidMethod, Request
    >>> try:
    ...     Request("GET /", "https://example.com/")
    ... except InvalidMethod as error:
    ...     print(error.code, error.method)
    invalid_method GET /
    """

    method: str = ""
    """The text as given."""
