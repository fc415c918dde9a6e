"""The results of ``silkline extract``: JSON Lines, each with its query."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from silkline import InvalidQuery, Query, QueryError, Result, ServiceError

from .results import Known, digest

if TYPE_CHECKING:
    from silkline.engine import ExtractionFinished

# What is no member of the protocol has this name.
_OWN = "silkline"


def key(query: Query) -> bytes:
    """What tells queries apart, in few bytes."""
    return digest(query.to_json())


def key_of(user_query: object) -> bytes:
    """The same for what a record tells of its query."""
    text = json.dumps(user_query)
    try:
        return key(Query.from_json(text, dialect="zyte_api"))  # which takes the longest
    except InvalidQuery:
        return digest(text)


def record(outcome: ExtractionFinished) -> bytes:
    """The line of an outcome: what the service sent, or the like of it for what it did not."""
    query, result = outcome.query, outcome.result
    if result is not None and result.dialect != "automatic_extraction":
        return _converted(outcome, result)
    raw = None if result is None else result.raw
    if raw is None or result is None:
        error = outcome.error
        own = {
            "code": None if error is None else error.code,
            "attempts": outcome.attempts,
            "billed": outcome.billed,
            "possiblyBilled": outcome.possibly_billed,
        }
        if isinstance(error, ServiceError):
            own["status"] = error.status
        text = error.text if isinstance(error, QueryError) else str(error)
        return failure(json.loads(query.to_json()), text, **own)
    # JSON text has line breaks between its tokens only.
    line = bytes(raw).replace(b"\r", b" ").replace(b"\n", b" ")
    user_query: object = None
    with contextlib.suppress(ValueError, LookupError, TypeError):
        user_query = json.loads(bytes(result.query_bytes or b"{}"))["userQuery"]
    if key_of(user_query) != key(query):
        # The result repeats less than its query, which then could not be told from it.
        own_text = json.dumps({_OWN: {"query": json.loads(query.to_json())}})
        line = line.rstrip()[:-1] + b"," + own_text.encode()[1:]
    return line + b"\n"


def _converted(outcome: ExtractionFinished, result: Result) -> bytes:
    """The line of another service's result, as the older one would have written it."""
    own: dict[str, object] = {}
    if not outcome.ok:
        own["code"] = None if outcome.error is None else outcome.error.code
        own["attempts"] = outcome.attempts
        own["billed"] = outcome.billed
        own["possiblyBilled"] = outcome.possibly_billed
    elif unmapped := result.unmapped:
        own["unmapped"] = unmapped
    line = result.to_json()
    if own:
        line = f'{line[:-1]},"{_OWN}":{json.dumps(own)}}}'
    return line.encode("utf-8", "surrogatepass") + b"\n"


def failure(user_query: object, text: str, **own: object) -> bytes:
    """The line of a query that the service has no result for."""
    found: dict[str, object] = {"query": {"userQuery": user_query}, "error": text}
    if own:
        found[_OWN] = own
    return json.dumps(found).encode() + b"\n"


class Finished(Known):
    """What earlier runs finished, and what was billed for it."""

    def __init__(self) -> None:
        super().__init__()
        self.billed: int = 0

    def add(self, line: dict[str, Any]) -> None:
        """Takes in a record."""
        own = line.get(_OWN)
        own = own if isinstance(own, dict) else {}
        user_query = own["query"] if "query" in own else line["query"]["userQuery"]
        error = line.get("error")
        self.note(key_of(user_query), failed=error is not None)
        if error is None:
            self.billed += 1
        elif "billed" in own:
            self.billed += int(own["billed"])
        elif isinstance(error, str):
            self.billed += QueryError.from_text(error).billed
