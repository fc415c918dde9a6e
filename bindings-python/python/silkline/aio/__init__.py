"""The Automatic Extraction API for asyncio.

>>> import asyncio
>>> from silkline.aio import Extractor
>>> async def main(urls, key, endpoint):
...     async with Extractor(key, endpoint=endpoint) as extractor:
...         queries = ({"url": url, "pageType": "article"} for url in urls)
...         async for outcome in extractor.results(queries):
...             print(outcome.query.url, outcome.result.item if outcome.ok else outcome.error.code)

It needs ``pip install 'silkline[aio]'``, or ``'silkline[httpx]'`` for the other transport. What may
be sent when, what is tried again and what not is decided by `silkline.ExtractionEngine`; here are
sockets, tasks and one timer.
"""

from .errors import AccountRefused, OutOfBudget
from .extractor import Extractor, QuerySource
from .transports import AiohttpTransport, Answer, HttpxTransport, NotSent, Transport

__all__ = [
    "AccountRefused",
    "AiohttpTransport",
    "Answer",
    "Extractor",
    "HttpxTransport",
    "NotSent",
    "OutOfBudget",
    "QuerySource",
    "Transport",
]
