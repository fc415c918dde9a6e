"""The downloader middleware that the add-on puts beside the handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .requests import ITEM, RESULT, is_extraction
from .responses import recall

if TYPE_CHECKING:
    import scrapy
    from scrapy.http import Response

__all__ = ["ExtractionMiddleware"]


class ExtractionMiddleware:
    """Keeps items apart from requests that they do not belong to, and finds them in cached ones."""

    def process_request(
        self,
        request: scrapy.Request,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> None:
        """Takes out what another request's meta brought along."""
        request.meta.pop(ITEM, None)
        request.meta.pop(RESULT, None)

    def process_response(
        self,
        request: scrapy.Request,
        response: Response,
        spider: scrapy.Spider | None = None,  # noqa: ARG002 -- older versions pass it
    ) -> Response:
        """Gives a cached response its item back."""
        if is_extraction(request):
            recall(request, response)
        return response
