"""The same as `silkline.aio` for programs without asyncio.

>>> from silkline.blocking import Extractor, SessionProxy
>>> def extract(urls, key, endpoint):
...     with Extractor(key, endpoint=endpoint) as extractor:
...         queries = ({"url": url, "pageType": "article"} for url in urls)
...         for outcome in extractor.results(queries):
...             print(outcome.query.url, outcome.result.item if outcome.ok else outcome.error.code)
>>> def fetch(key, endpoint):
...     with SessionProxy(key, endpoint=endpoint) as proxy:
...         print(proxy.get("http://example.com/").text())
"""

from .extractor import Extractor
from .session_proxy import NamedSession, SessionProxy

__all__ = ["Extractor", "NamedSession", "SessionProxy"]
