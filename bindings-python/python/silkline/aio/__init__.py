"""The clients for asyncio: the Automatic Extraction API, and sessions of Smart Proxy Manager.

>>> import asyncio
>>> from silkline.aio import Extractor, SessionProxy
>>> async def extract(urls, key, endpoint):
...     async with Extractor(key, endpoint=endpoint) as extractor:
...         queries = ({"url": url, "pageType": "article"} for url in urls)
...         async for outcome in extractor.results(queries):
...             print(outcome.query.url, outcome.result.item if outcome.ok else outcome.error.code)
>>> async def fetch(urls, key, endpoint):
...     async with SessionProxy(key, endpoint=endpoint, sessions=20) as proxy:
...         async for outcome in proxy.results(urls):
...             print(outcome.target, outcome.response or outcome.error)

They need ``pip install 'silkline[aio]'``, or ``'silkline[httpx]'`` for the other transport. What may
be sent when, what is tried again and what not is decided by `silkline.ExtractionEngine` and
`silkline.ProxyEngine`; here are sockets, tasks and one timer.
"""

from .errors import (
    AccountRefused,
    BadStatus,
    BodyTooLarge,
    OutOfBudget,
    ProxyAccountRefused,
    TooManyRedirects,
    UntrustedCertificate,
)
from .extractor import Extractor, QuerySource
from .proxy_driver import Verdict
from .proxy_requests import AnyTarget, Fields, RequestOptions, TargetSource
from .proxy_results import Outcome
from .proxy_transports import (
    AiohttpProxyTransport,
    CertificateAuthority,
    ConnectRefused,
    HttpxProxyTransport,
    ProxiedAnswer,
    ProxyTransport,
)
from .response import Response
from .session_proxy import NamedSession, SessionProxy
from .transports import AiohttpTransport, Answer, HttpxTransport, NotSent, Transport

__all__ = [
    "AccountRefused",
    "AiohttpProxyTransport",
    "AiohttpTransport",
    "Answer",
    "AnyTarget",
    "BadStatus",
    "BodyTooLarge",
    "CertificateAuthority",
    "ConnectRefused",
    "Extractor",
    "Fields",
    "HttpxProxyTransport",
    "HttpxTransport",
    "NamedSession",
    "NotSent",
    "OutOfBudget",
    "Outcome",
    "ProxiedAnswer",
    "ProxyAccountRefused",
    "ProxyTransport",
    "QuerySource",
    "RequestOptions",
    "Response",
    "SessionProxy",
    "TargetSource",
    "TooManyRedirects",
    "Transport",
    "UntrustedCertificate",
    "Verdict",
]
