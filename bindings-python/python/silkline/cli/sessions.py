"""``silkline sessions``: the sessions of an account, by the service's own calls."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from silkline.exceptions import ProxyServiceError, SessionCallFailed, SilklineError

from . import values
from .service import KEY_HELP, add_proxy_options, proxy_api

if TYPE_CHECKING:
    from silkline import ProxyApi, ProxySessionList, Request
    from silkline.aio import Answer, Transport

_DESCRIPTION = """\
Lists, makes and deletes the sessions of an account of Smart Proxy Manager.
"""

_EPILOG = (
    KEY_HELP
    + """
exit status:
  0  done
  1  some call failed
  2  wrong usage, or the service refuses the account

examples:
  silkline sessions list
  silkline sessions create -n 3
  silkline sessions delete 1836172
  silkline sessions prune --unused
"""
)

_REFUSED = frozenset({"bad_proxy_auth", "user_suspended"})
_AT_ONCE = 8
_SECONDS = 60.0
_T = TypeVar("_T")
_R = TypeVar("_R")


def add_parser(commands: Any) -> None:
    """Adds the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sessions",
        help="list, make and delete sessions of Smart Proxy Manager",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(
        name: str, act: Callable[[_Sessions, argparse.Namespace], Any], text: str
    ) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = actions.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=_run, extra="cli", _parser=added, act=act)
        add_proxy_options(added)
        return added

    add = action("list", _list, "show each session and its outgoing address").add_argument
    add("--json", action="store_true", help="as the service sends it")
    add = action("create", _create, "make sessions and show their ids").add_argument
    add("--count", "-n", metavar="N", type=values.count, default=1, help="how many (default: 1)")
    add = action("delete", _delete, "delete sessions").add_argument
    add("ids", metavar="ID", nargs="+", help="the id of a session")
    add = action(
        "prune", _prune, "delete all sessions of the account, also those of other programs"
    ).add_argument
    add("--unused", action="store_true", help="only those that have no outgoing address yet")
    add(
        "--except", metavar="ID", action="append", dest="kept", help="a session to keep; may repeat"
    )
    add("--dry-run", action="store_true", help="only show what would be deleted")


class _Sessions:
    """Calls of the sessions API."""

    def __init__(self, api: ProxyApi, transport: Transport) -> None:
        self._api = api
        self._transport = transport

    async def _call(self, request: Request) -> Answer:
        answer = await asyncio.wait_for(self._transport.send(request), _SECONDS)
        return answer._replace(headers=list(answer.headers))

    async def list(self) -> tuple[ProxySessionList, bytes]:
        answer = await self._call(self._api.list_sessions())
        return self._api.read_session_list(*answer), answer.body

    async def create(self, _number: int) -> str:
        return self._api.read_created_session(*await self._call(self._api.create_session()))

    async def delete(self, session: str) -> str:
        answer = await self._call(self._api.delete_session(session))
        self._api.read_deleted_session(*answer)
        return session


async def _list(sessions: _Sessions, options: argparse.Namespace) -> int:
    found, body = await sessions.list()
    if options.json:
        print(json.dumps(json.loads(body)))
        return 0
    for session, address in found.sessions:
        print(session, address or "-")
    return 0


async def _create(sessions: _Sessions, options: argparse.Namespace) -> int:
    # At once: of a session that is made somebody has to know.
    return await _each(range(options.count), sessions.create, partial(print, flush=True))


async def _delete(sessions: _Sessions, options: argparse.Namespace) -> int:
    return await _each(options.ids, sessions.delete, lambda _: None)


async def _prune(sessions: _Sessions, options: argparse.Namespace) -> int:
    found, _ = await sessions.list()
    kept = set(options.kept or ())
    unknown = kept - {session for session, _ in found.sessions}
    if unknown:
        _say(f"there is no session {min(unknown)!r}, so none is deleted")
        return 1
    doomed = [
        session
        for session, address in found.sessions
        if session not in kept and not (options.unused and address is not None)
    ]
    if options.dry_run:
        print(*doomed, sep="\n", end="\n" if doomed else "")
        return 0
    deleted: list[str] = []
    try:
        return await _each(doomed, sessions.delete, deleted.append)
    finally:
        _say(f"{len(deleted)} of {len(found.sessions)} sessions deleted")


async def _each(
    things: Iterable[_T],
    act: Callable[[_T], Coroutine[Any, Any, _R]],
    done: Callable[[_R], object],
) -> int:
    """Does something for each, a few at a time; 1 if some failed."""
    left = iter(things)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for thing in left:
            try:
                result = await act(thing)
            except (ProxyServiceError, SessionCallFailed) as error:  # noqa: PERF203
                if error.code in _REFUSED:
                    raise
                failed = 1
                _say(f"{thing}: {error}" if isinstance(thing, str) else str(error))
                if error.code == "user_session_limit":
                    return
            else:
                done(result)

    workers = [asyncio.ensure_future(work()) for _ in range(_AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return failed


def _run(options: argparse.Namespace) -> int:
    parser: argparse.ArgumentParser = options._parser  # noqa: SLF001
    api = proxy_api(parser, options)
    if api.dialect == "zyte_api":
        parser.error("argument --dialect: zyte_api has no calls that list, make or delete sessions")
    try:
        return asyncio.run(_act(api, options))
    except KeyboardInterrupt:
        return 1
    except SilklineError as error:
        _say(str(error))
        return 2 if error.code in _REFUSED or isinstance(error, ValueError) else 1


async def _act(api: ProxyApi, options: argparse.Namespace) -> int:
    import aiohttp

    from silkline.aio import AiohttpTransport, NotSent
    from silkline.aio.proxy_transports import trusting

    connector = aiohttp.TCPConnector(ssl=trusting(options.ca))
    async with aiohttp.ClientSession(connector=connector) as client:
        transport = AiohttpTransport(client)
        await transport.start()
        try:
            status: int = await options.act(_Sessions(api, transport), options)
        except (asyncio.TimeoutError, TimeoutError):
            _say(f"the service did not answer within {_SECONDS:g} seconds")
            return 1
        except BrokenPipeError:  # of stdout
            raise
        except (NotSent, OSError) as error:
            _say(f"the service cannot be reached: {error}")
            return 1
        return status


def _say(message: str) -> None:
    print(f"silkline sessions: {message}", file=sys.stderr, flush=True)
