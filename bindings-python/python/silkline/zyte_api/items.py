"""Items of Automatic Extraction as items of Zyte API, and back, field by field.

What the other schema cannot say is listed with its place in the item, never dropped in silence.
The table of all fields is in the documentation of the Rust module ``silkline::zyte_api::items``.

>>> from silkline.zyte_api.items import from_zyte_api
>>> item = {"url": "https://example.com/1", "price": "9.90", "currencyRaw": "$", "currency": "USD"}
>>> product = from_zyte_api("product", item)
>>> product.item["offers"]
[{'price': '9.90', 'currency': '$'}]
>>> product.unmapped
[Unmapped('/currency', 'USD')]
"""

from __future__ import annotations

from silkline._core import Converted, Unmapped, from_zyte_api, to_zyte_api

__all__ = ["Converted", "Unmapped", "from_zyte_api", "to_zyte_api"]
