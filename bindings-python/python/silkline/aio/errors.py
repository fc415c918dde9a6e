"""Why what was asked for ends without an answer, where neither service nor engine say it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from silkline.exceptions import ProxyServiceError, ServiceError, SilklineError

if TYPE_CHECKING:
    from .extraction_driver import AnyQuery
    from .proxy_requests import AnyTarget
    from .response import Response

__all__ = [
    "AccountRefused",
    "BadStatus",
    "BodyTooLarge",
    "OutOfBudget",
    "ProxyAccountRefused",
    "TooManyRedirects",
    "UntrustedCertificate",
]


class AccountRefused(ServiceError):
    """The service refuses the account: a bad key, a disabled account, a quota that is used up.

    It has all that the `ServiceError` behind it has (which is its cause), and what was taken in and
    not done. Nothing more is sent until `Extractor.resume`.
    """

    unfinished: tuple[AnyQuery, ...] = ()
    """The queries that were taken from the source and have no outcome, as they were given."""

    @classmethod
    def of(cls, error: ServiceError, unfinished: tuple[AnyQuery, ...]) -> AccountRefused:
        """The refusal of some queries."""
        refusal = cls(str(error), **{**vars(error), "unfinished": unfinished})
        refusal.__cause__ = copy.copy(error)
        return refusal


class OutOfBudget(SilklineError):
    """The cap leaves no room for a further query, until `Extractor.start_cycle`."""

    code = "out_of_budget"
    unfinished: tuple[AnyQuery, ...] = ()
    """The queries that were taken from the source and have no outcome, as they were given."""


class ProxyAccountRefused(ProxyServiceError):
    """The proxy service refuses the account: a bad key, or a suspended account.

    It has all that the `ProxyServiceError` behind it has (which is its cause). Nothing more is sent
    until `SessionProxy.resume`.
    """

    unfinished: tuple[AnyTarget, ...] = ()
    """The requests that `SessionProxy.results` took from its source and that have no outcome."""

    @classmethod
    def of(
        cls, error: ProxyServiceError, unfinished: tuple[AnyTarget, ...] = ()
    ) -> ProxyAccountRefused:
        """The refusal behind an error of the service."""
        refusal = cls(str(error), **{**vars(error), "unfinished": unfinished})
        refusal.__cause__ = copy.copy(error.__cause__ or error)
        return refusal


class UntrustedCertificate(SilklineError, ConnectionError):
    """The certificate shown for an https target is not trusted, so nothing was sent to it.

    The service opens the TLS of a tunnel itself: its own authority has to be trusted, by the ``ca``
    of a `SessionProxy`.
    """

    code = "certificate_untrusted"
    url: str = ""
    """What was to be fetched."""


class BodyTooLarge(SilklineError):
    """A body has more bytes than ``max_body`` allows; the rest of it was not read."""

    code = "body_too_large"
    limit: int = 0
    """How many bytes a body may have."""
    status: int = 0
    """The status of the answer."""
    url: str = ""
    """What was fetched."""


class TooManyRedirects(SilklineError):
    """The target redirects more often than ``max_redirects`` allows."""

    code = "too_many_redirects"
    response: Response
    """The redirect that was not followed; those before it are its ``history``."""


class BadStatus(SilklineError):
    """The target answered with a status from 400 on; see `Response.raise_for_status`."""

    code = "target_status"
    status: int = 0
    """The status."""
    response: Response
    """The answer."""
