"""Extraction requests: what they look like, how they are answered, and what their errors are.

The parts that a spider uses are in `silkline.scrapy`.
"""

from .errors import AccountRefused, OutOfBudget, QueryFailed
from .fingerprints import RequestFingerprinter
from .handler import ExtractionDownloadHandler
from .middleware import ExtractionMiddleware
from .requests import ITEM, QUERY, RESULT, extraction_request, is_extraction

__all__ = [
    "ITEM",
    "QUERY",
    "RESULT",
    "AccountRefused",
    "ExtractionDownloadHandler",
    "ExtractionMiddleware",
    "OutOfBudget",
    "QueryFailed",
    "RequestFingerprinter",
    "extraction_request",
    "is_extraction",
]
