"""How vectors write their inputs and outcomes, and what each operation calls.

Each operation takes what a case gives and returns the outcome as plain JSON, through the public
names of the package only.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import silkline
from silkline import (
    ExtractionApi,
    Headers,
    InvalidQuery,
    Problem,
    Query,
    QueryError,
    Request,
    Result,
    ServiceError,
    SilklineError,
    Usage,
)

Json = Any
Given = dict[str, Any]


def check_keys(given: Given, *known: str) -> None:
    """Fails on a member that the operation does not know: it would test nothing."""
    unknown = given.keys() - set(known)
    assert not unknown, f"unknown members {unknown}"


def body(value: Json) -> bytes:
    """A body: a string, base64, JSON, something repeated, a list of bodies; null is empty."""
    match value:
        case None:
            return b""
        case str():
            return value.encode()
        case {"base64": encoded, **rest} if not rest:
            return base64.b64decode(encoded, validate=True)
        case {"json": content, **rest} if not rest:
            return json.dumps(content, ensure_ascii=False).encode()
        case {"repeat": [part, count], **rest} if not rest:
            return body(part) * int(count)
        case {"concat": [*parts], **rest} if not rest:
            return b"".join(map(body, parts))
    raise AssertionError(f"no body: {value}")


def text(value: Json) -> str:
    return body(value).decode()


def pairs(value: Json) -> list[tuple[str, str]]:
    return [(name, content) for name, content in value or []]


def micros(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000_000)


def told(**members: Json) -> Json:
    """The members that say something: what is None is left out."""
    return {name: value for name, value in members.items() if value is not None}


def headers_json(headers: Headers) -> Json:
    agent = f"silkline/{silkline.__version__}"
    return [[name, value.replace(agent, "silkline/VERSION")] for name, value in headers]


def request_json(request: Request) -> Json:
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers_json(request.headers),
        "body": json.loads(request.body),
    }


def raw(view: memoryview | None) -> str | None:
    return None if view is None else bytes(view).decode()


# --- http ---


def basic(given: Given) -> Json:
    check_keys(given, "key")
    return silkline.basic_authorization(given["key"])


def basic_credentials(given: Given) -> Json:
    check_keys(given, "value")
    credentials = silkline.basic_credentials(given["value"])
    return credentials and list(credentials)


def date(given: Given) -> Json:
    check_keys(given, "text")
    return silkline.parse_http_date(given["text"])


def endpoint(given: Given) -> Json:
    check_keys(given, "endpoint")
    return ExtractionApi("key", given["endpoint"]).endpoint


def headers(given: Given) -> Json:
    check_keys(given, "pairs")
    return headers_json(Headers(pairs(given["pairs"])))


def headers_get(given: Given) -> Json:
    check_keys(given, "pairs", "name")
    headers = Headers.from_received(pairs(given["pairs"]))
    return {"first": headers.get(given["name"]), "all": headers.get_all(given["name"])}


def retry_after(given: Given) -> Json:
    check_keys(given, "headers")
    return micros(silkline.retry_after(pairs(given["headers"])))


# --- problem ---


def problem_json(problem: Problem) -> Json:
    return told(
        type=problem.problem_type,
        kind=problem.kind,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=problem.instance,
        members=problem.members or None,
        retry_delay_us=micros(problem.retry_delay),
    )


def problem_build(given: Given) -> Json:
    check_keys(given, "type", "title", "status", "detail", "instance", "members")
    options = {name: given.get(name) for name in ("title", "status", "detail", "instance")}
    problem = Problem(given["type"], **options)
    for name, member in given.get("members", []):
        problem = problem.with_member(name, text(member))
    return json.loads(problem.to_json())


def problem_read(given: Given) -> Json:
    check_keys(given, "body")
    return problem_json(Problem.read(body(given["body"])))


# --- extraction ---


def lone_surrogate(given: Given) -> Json:
    check_keys(given, "utf16")
    units = b"".join(unit.to_bytes(2, "little") for unit in given["utf16"])
    try:
        Query("http://a/", "article", meta=units.decode("utf-16-le", "surrogatepass"))
    except InvalidQuery as error:
        assert error.code == "query_lone_surrogate"
        return error.position
    return None


def query(given: Given) -> Query:
    texts = {"url", "meta", "custom_html"}
    check_keys(given, *texts, "page_type", "article_body_raw", "full_html", "extra")
    members: Given = {
        name: text(value) if name in texts and value is not None else value
        for name, value in given.items()
    }
    return Query(**members)


def query_from_json(given: Given) -> Json:
    check_keys(given, "text")
    return Query.from_json(text(given["text"])).to_json()


def queries(value: Json) -> list[Json]:
    """Queries as they are sent; mappings are queries in this package."""
    if isinstance(value, dict):
        [(form, [query, count])] = value.items()
        assert form == "repeat"
        return [query] * int(count)
    return list(value)


def request(given: Given) -> Json:
    check_keys(given, "key", "endpoint", "queries", "dialect")
    dialect = given.get("dialect", "automatic_extraction")
    api = ExtractionApi(given.get("key", "key"), given.get("endpoint"), dialect)
    return request_json(api.request(queries(given["queries"])))


def read(given: Given) -> list[Result]:
    check_keys(given, "queries", "status", "headers", "body", "dialect")
    content = body(given.get("body"))
    dialect = given.get("dialect", "automatic_extraction")
    headers = pairs(given.get("headers"))
    try:
        return ExtractionApi("key", dialect=dialect).results(
            queries(given["queries"]), given["status"], headers, content
        )
    except ServiceError as error:
        assert error.body is content, "the raw body is kept"
        assert error.headers == headers
        raise


def query_error_json(error: QueryError | None) -> Json:
    return error and told(
        code=error.code,
        text=error.text,
        billed=error.billed,
        retry=error.retry,
        max_retries=error.max_retries,
        retry_after_us=micros(error.retry_after),
        domain=error.domain,
        status=error.status,
    )


def result_json(result: Result) -> Json:
    native = result.dialect != "automatic_extraction"
    assert native or (result.item_native is result.item and not result.unmapped)
    return told(
        query_index=result.query_index,
        ok=result.ok,
        error=query_error_json(result.error),
        page_type=result.page_type,
        item=result.item,
        item_native=result.item_native if native else None,
        unmapped=result.unmapped or None,
        id=result.id,
        domain=result.domain,
        url=result.url,
        meta=result.meta,
        web_page=result.web_page,
        html=result.html,
        algorithm_version=result.algorithm_version,
        unknown=result.unknown or None,
    )


def raw_json(result: Result) -> Json:
    return told(
        item=raw(result.item_bytes),
        query=raw(result.query_bytes),
        web_page=raw(result.web_page_bytes),
        raw=raw(result.raw),
        unknown={name: raw(view) for name, view in result.unknown_bytes.items()} or None,
    )


def count(given: Given) -> Json:
    return Counter(result.error.code if result.error else "ok" for result in read(given))


def usage(given: Given) -> Json:
    try:
        usage = Usage.of_results(read(given))
    except ServiceError as error:
        usage = error.usage
    names = ("queries", "billed", "unbilled", "unknown")
    return {name: getattr(usage, name) for name in names}


def in_zyte_api(operation: Callable[[Given], Json]) -> Callable[[Given], Json]:
    """The same in the dialect of the successor."""
    return lambda given: operation({**given, "dialect": "zyte_api"})


def legacy(given: Given) -> Json:
    return [json.loads(result.to_json()) for result in read(given)]


def results(given: Given) -> Json:
    return list(map(result_json, read(given)))


OPERATIONS: dict[str, Callable[[Given], Json]] = {
    "zyte_api.json": in_zyte_api(legacy),
    "zyte_api.request": in_zyte_api(request),
    "zyte_api.results": in_zyte_api(results),
    "zyte_api.usage": in_zyte_api(usage),
    "extraction.count": count,
    "extraction.lone_surrogate": lone_surrogate,
    "extraction.query": lambda given: json.loads(query(given).to_json()),
    "extraction.query_size": lambda given: len(query(given).to_json().encode()),
    "extraction.query_from_json": query_from_json,
    "extraction.raw": lambda given: list(map(raw_json, read(given))),
    "extraction.request": request,
    "extraction.results": results,
    "extraction.usage": usage,
    "http.basic": basic,
    "http.basic_credentials": basic_credentials,
    "http.date": date,
    "http.endpoint": endpoint,
    "http.headers": headers,
    "http.headers_get": headers_get,
    "http.retry_after": retry_after,
    "problem.build": problem_build,
    "problem.read": problem_read,
}


def run(operation: Callable[[Given], Json], given: Given) -> Json:
    """Runs an operation; a raised error is an outcome like any other."""
    try:
        return operation(given)
    except ServiceError as error:
        return {
            "error": told(
                code=error.code,
                message=str(error),
                status=error.status,
                retry=error.retry,
                retry_after_us=micros(error.retry_after),
                billed=error.billed,
                billing_known=error.billing_known,
                problem=error.problem and problem_json(error.problem),
            )
        }
    except SilklineError as error:
        return {"error": {"code": error.code, "message": str(error)}}
