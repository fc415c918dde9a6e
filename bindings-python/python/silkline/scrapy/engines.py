"""Where the engine is made, from the options and what an earlier run has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from silkline import ProxyEngine, ProxyOptions
from silkline.exceptions import InvalidPool, InvalidSetting

from .settings import InvalidOption, Options

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from silkline import ProxyApi

    from .state import State

__all__ = ["CONCURRENCY", "MARGIN", "check", "proxy_engine"]

CONCURRENCY = 100
"""How many requests go through the proxy at a time, unless the project says so."""
MARGIN = 0.5
"""The margin against jitter: more than the engine's, for callbacks hold up Scrapy's sockets."""


def proxy_engine(
    options: Options, settings: BaseSettings, api: ProxyApi, state: State, now: float
) -> tuple[int, ProxyEngine]:
    """The engine of a crawl, and how many requests of the scheduler it may have out at a time."""
    scrapy_limit = settings.getint("CONCURRENT_REQUESTS")
    wanted = options.concurrency or CONCURRENCY
    concurrency = min(wanted, scrapy_limit) if scrapy_limit else wanted
    arguments = {
        **_arguments(options),
        # Those that wait in the middleware take up Scrapy's limit there, so they need not wait here.
        "concurrency": concurrency + (scrapy_limit or wanted),
        "options": _request_options(options, settings),
    }
    engine = state.restore(api, now, arguments)
    return concurrency, engine or ProxyEngine(api, now=now, **arguments)


def check(options: Options, api: ProxyApi) -> None:
    """Raises for options that no engine can work with."""
    try:
        ProxyEngine(api, **_arguments(options))
    except InvalidPool as error:
        of_share = error.percent is not None
        name = "SILKLINE_ANONYMOUS_PERCENT" if of_share else "SILKLINE_SESSIONS"
        raise InvalidOption.of(name, str(error)) from error
    except InvalidSetting as error:
        raise InvalidOption.of(f"SILKLINE_{error.setting.upper()}", str(error)) from error


def _arguments(options: Options) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "size": options.sessions or None,
        "delay": options.session_delay,
        "domain_delays": dict(options.domain_delays) or None,
        "creation": options.session_creation,
        "anonymous_percent": options.anonymous_percent,
        "max_bans": options.max_bans,
        "concurrency": options.concurrency,
        "deadline": options.deadline,
        "policy": options.proxy_policy,
    }
    margin = MARGIN if options.margin is None else options.margin
    arguments["margin"] = None if margin == float("inf") else margin
    return arguments


def _request_options(options: Options, settings: BaseSettings) -> ProxyOptions | None:
    """Scrapy's own cookies reach the target only if the service keeps its hands off them.

    The successor has no word for it.
    """
    if options.dialect is not None or not settings.getbool("COOKIES_ENABLED"):
        return None
    return ProxyOptions(cookies="disable")
