"""The services for tests: on sockets of this machine, or inside of the process without any.

`SandboxThread` runs `silkline.sandbox.Sandbox` on a thread, on free ports: for programs as they are,
in any language. `FakeExtraction` and `FakeProxy` answer without sockets: they are transports of the
clients of `silkline.aio` and `silkline.blocking`. All have the limits, errors and counts of the
services, and take fault scripts. With pytest, fixtures give them; see `silkline.pytest_plugin`.

>>> from silkline.blocking import SessionProxy
>>> from silkline.testing import FakeProxy
>>> service = FakeProxy(pages={"http://shop.example/": "<h1>Shop</h1>"})
>>> with SessionProxy("KEY", transport=service, session_delay=0) as proxy:
...     proxy.get("http://shop.example/").text(), proxy.get("http://shop.example/other").status
('<h1>Shop</h1>', 404)
>>> service.stats()["sessions_created"], service.stats()["sessions_living"]
(1, 0)
"""

from .fake_extraction import FakeExtraction, PageOutcome
from .fake_proxy import FakeProxy, TargetAnswer, TargetPage, TargetRequest
from .faults import Failure, FaultScript, impatient
from .sandbox_thread import SandboxThread

__all__ = [
    "Failure",
    "FakeExtraction",
    "FakeProxy",
    "FaultScript",
    "PageOutcome",
    "SandboxThread",
    "TargetAnswer",
    "TargetPage",
    "TargetRequest",
    "impatient",
]
