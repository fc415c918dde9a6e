"""Silkline for Scrapy: sessions of the proxy, and extraction, in any spider.

``ADDONS = {"silkline.scrapy.Addon": 500}`` and ``SILKLINE_API_KEY`` in the settings of the project
are all the set-up. It needs ``pip install 'silkline[scrapy]'``.
"""

from .addon import Addon
from .settings import InvalidOption, Options

__all__ = ["Addon", "InvalidOption", "Options"]
