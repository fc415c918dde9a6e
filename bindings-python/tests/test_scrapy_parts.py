"""The parts of the add-on that need no crawl."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.http import Request
from scrapy.settings import Settings
from twisted.internet import error as twisted_error

from silkline import ProxyApi, ProxyEngine
from silkline import Request as Call
from silkline.engine import ProxySend
from silkline.scrapy.failures import failure_of, tunnel_status
from silkline.scrapy.lease import Lease
from silkline.scrapy.routing import CAME_THROUGH, Route, route
from silkline.scrapy.state import State
from silkline.scrapy.wake import wake, watch_ends

error: Any = twisted_error


@pytest.mark.parametrize("name", ["_slot", "slot"])
def test_scrapy_is_woken_by_either_name(name: str) -> None:
    calls: list[str] = []
    slot = SimpleNamespace(nextcall=SimpleNamespace(schedule=lambda: calls.append("now")))
    crawler: Any = SimpleNamespace(engine=SimpleNamespace(**{name: slot}))
    assert wake(crawler)
    assert calls == ["now"]


def test_without_the_private_names_the_heartbeat_remains() -> None:
    for engine in (None, SimpleNamespace(), SimpleNamespace(_slot=SimpleNamespace())):
        crawler: Any = SimpleNamespace(engine=engine)
        assert not wake(crawler)
        assert not watch_ends(crawler, print)


@pytest.mark.parametrize(
    ("exception", "failure"),
    [
        (error.TimeoutError(), "timeout"),
        (error.ConnectionRefusedError(), "not_sent"),
        (error.DNSLookupError(), "not_sent"),
        (error.TCPTimedOutError(), "not_sent"),
        (error.ConnectionLost(), "network"),
        (ValueError(), "network"),
    ],
)
def test_what_exceptions_mean(exception: Exception, failure: str) -> None:
    assert failure_of(exception) == failure


def test_the_status_in_the_text() -> None:
    class TunnelError(Exception):
        pass

    text = "Could not open CONNECT tunnel with proxy localhost:1 [{'status': 407, 'reason': b'x'}]"
    assert tunnel_status(TunnelError(text)) == 407
    assert tunnel_status(ValueError(text)) is None


def way(url: str = "http://a.example/", names: dict[str, str] | None = None, **of: Any) -> Any:
    return route(Request(url, **of), names or {})


def test_ways() -> None:
    assert way() == Route()
    assert way(url="file:///tmp/x") is None
    assert way(meta={"dont_proxy": True}) is None
    assert way(meta={"proxy": "http://other:1"}) is None
    assert way(meta={"silkline": {"pageType": "article"}}) is None
    assert way(meta={"silkline_session": "a"}) == Route("a")
    assert way(meta={"silkline_session": False}).outside
    assert way(meta={CAME_THROUGH: [0, None, "7"]}) == Route()
    assert way(meta={CAME_THROUGH: [0, None, "7"], "redirect_times": 1}) == Route(stay_in="7")
    assert way(meta={CAME_THROUGH: [0, "a", "7"], "redirect_times": 1}) == Route("a")
    headers = {"X-Crawlera-Session": "7"}
    assert way(headers=headers).own_session
    assert way(headers=headers, names={"7": "a"}) == Route("a")
    assert way(headers={"X-Crawlera-Region": "us"}).outside
    assert way(headers={"X-Crawlera-Profile": "mobile"}).options.profile == "mobile"


def test_what_is_put_on_a_request_comes_off() -> None:
    request = Request(
        "http://a.example/", headers={"X-Crawlera-UA": "mobile"}, meta={"download_timeout": 9}
    )
    send: Any = SimpleNamespace(
        request_id=3,
        request=SimpleNamespace(headers={"X-Crawlera-Session": "7", "X-Crawlera-UA": "MOBILE"}),
        proxy=SimpleNamespace(url="http://proxy:1", authorization="Basic x"),
    )
    job: Any = SimpleNamespace(route=Route())
    before = request.copy()
    lease = Lease(send, job, request)
    lease.mark()
    lease.apply(5.0, own_slot=True, keep_own=True)
    assert request.headers["Proxy-Authorization"] == b"Basic x"
    assert request.headers["X-Crawlera-UA"] == b"MOBILE"
    assert request.meta["proxy"] == "http://proxy:1"
    lease.undo()
    assert (request.headers, request.meta) == (before.headers, before.meta)


@pytest.mark.parametrize("keep", [False, True])
def test_a_session_of_which_only_the_spider_knows(keep: bool) -> None:
    """The service is told of it, its successor is not."""
    request = Request("http://a.example/", headers={"X-Crawlera-Session": "7"})
    send: Any = SimpleNamespace(request_id=3, request=SimpleNamespace(headers={}), proxy=None)
    job: Any = SimpleNamespace(route=Route(outside=True, own_session=True))
    lease = Lease(send, job, request)
    lease.apply(5.0, own_slot=False, keep_own=keep)
    assert request.headers.get("X-Crawlera-Session") == (b"7" if keep else None)
    lease.undo()
    assert request.headers["X-Crawlera-Session"] == b"7"


def test_no_snapshot_loses_the_sessions_that_are_being_made(tmp_path: Path) -> None:
    """A crash then costs a run of the job some sessions, but the next one no places for others."""
    crawler: Any = SimpleNamespace(settings=Settings({"JOBDIR": str(tmp_path)}))
    state, path = State(crawler), tmp_path / "silkline" / "sessions"
    api, now = ProxyApi("KEY"), time.monotonic()
    engine = ProxyEngine(api, size=3, now=now)
    for number in range(3):
        engine.submit(Call("GET", f"http://shop.example/{number}"), now)
    sends = [send for _ in range(3) if isinstance(send := engine.poll(now), ProxySend)]
    assert len(sends) == 3
    for number, send in enumerate(sends):
        time.sleep(0.11)  # what passes between two snapshots at least
        state.save(engine, [])
        assert not path.exists()
        made = {"X-Crawlera-Session": str(11 + number)}
        engine.handle_response(send.request_id, 200, made, b"", now)
    assert len([engine.poll(now) for _ in sends]) == 3
    state.save(engine, [])
    assert path.exists()
    adopted = State(crawler).restore(api, now, {"size": 3})
    assert adopted is not None
    listing = adopted.poll(now)
    assert isinstance(listing, ProxySend)
    living = b'{"11": "a", "12": "b", "13": "c"}'
    adopted.handle_response(listing.request_id, 200, {}, living, now)
    adopted.poll(now)
    assert (adopted.stats().sessions_adopted, adopted.stats().pool.sessions) == (3, 3)
