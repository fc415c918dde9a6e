"""The operations of `zyte_api`, for the vectors."""

from __future__ import annotations

from collections.abc import Callable

from silkline.zyte_api.items import Converted, from_zyte_api, to_zyte_api
from vectors import Given, Json, body, check_keys


def converted(convert: Callable[[str, bytes], Converted]) -> Callable[[Given], Json]:
    def operation(given: Given) -> Json:
        check_keys(given, "page_type", "item")
        found = convert(given["page_type"], body(given["item"]))
        return {
            "item": found.item,
            "unmapped": [[part.path, part.value] for part in found.unmapped],
        }

    return operation


def text(convert: Callable[[str, bytes], Converted]) -> Callable[[Given], Json]:
    def operation(given: Given) -> Json:
        check_keys(given, "page_type", "item")
        found = convert(given["page_type"], body(given["item"]))
        unmapped = [[part.path, part.value_json] for part in found.unmapped]
        return {"item": found.item_json, "unmapped": unmapped}

    return operation


OPERATIONS: dict[str, Callable[[Given], Json]] = {
    "zyte_api.from_zyte_api": converted(from_zyte_api),
    "zyte_api.from_zyte_api_text": text(from_zyte_api),
    "zyte_api.to_zyte_api": converted(to_zyte_api),
    "zyte_api.to_zyte_api_text": text(to_zyte_api),
}
