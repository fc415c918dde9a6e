"""Vehicles for sale."""

from __future__ import annotations

import re
from typing import Any

from silkline.sandbox.items.context import Context
from silkline.sandbox.items.product import first, main_product, product_fields, shown_fields
from silkline.sandbox.items.structured import Node, Value, words
from silkline.sandbox.items.values import chance, compact, number, place, tidy, unique, whole

VEHICLES = frozenset({"BusOrCoach", "Car", "Motorcycle", "MotorizedBicycle", "Vehicle"})
FIELDS = (
    *("name", "offers", "sku", "mpn", "brand", "breadcrumbs", "mainImage", "images", "description"),
    *("descriptionHtml", "additionalProperty", "aggregateRating", "color"),
)
UNITS = {"KMT": "KMT", "KM": "KMT", "KILOMETER": "KMT", "KILOMETERS": "KMT", "KILOMETRES": "KMT"}
UNITS |= {"SMI": "SMI", "MI": "SMI", "MILE": "SMI", "MILES": "SMI"}


def vehicle(context: Context) -> dict[str, Any]:
    """The vehicle that a page offers."""
    node = main_product(context, VEHICLES)
    listed = node or main_product(context, frozenset({"Product"}))
    shown = shown_fields(context, listed)
    said = product_fields(context, listed) if listed else {}
    fields = {name: value for name, value in {**shown, **said}.items() if name in FIELDS}
    if node:
        fields |= own_fields(node)
    weight = chance(
        0.9 if node else 0.0,
        0.2 if listed else 0.0,
        0.5 if "vehicleIdentificationNumber" in fields else 0.0,
        0.3 if "mileageFromOdometer" in fields else 0.0,
    )
    return compact(
        url=context.url, probability=weight, canonicalUrl=context.page.canonical, **fields
    )


def own_fields(node: Node) -> dict[str, Any]:
    """What only vehicles have."""
    where = next(iter(node.values("availableAtOrFrom")), None)
    for offer in node.nodes("offers"):
        where = where or next(iter(offer.values("availableAtOrFrom")), None)
        where = where or next(iter(offer.values("seller", "offeredBy")), None)
    return compact(
        vehicleIdentificationNumber=node.text("vehicleIdentificationNumber", "serialNumber"),
        mileageFromOdometer=mileage(next(iter(node.values("mileageFromOdometer")), None)),
        vehicleTransmission=node.text("vehicleTransmission"),
        fuelType=node.text("fuelType"),
        vehicleEngine=compact(raw=engine(node)),
        vehicleInteriorColor=node.text("vehicleInteriorColor"),
        availableAtOrFrom=compact(raw=place(where)),
        numberOfDoors=whole(first(node, "numberOfDoors")),
        vehicleSeatingCapacity=whole(first(node, "vehicleSeatingCapacity", "seatingCapacity")),
        fuelEfficiency=[
            {"raw": raw}
            for raw in unique(
                measure(one) for one in node.values("fuelEfficiency", "fuelConsumption")
            )
        ],
    )


def mileage(value: Value | None) -> dict[str, Any]:
    """How far it has gone."""
    if isinstance(value, Node):
        said = value.text("unitCode") or value.text("unitText") or ""
        amount = number(first(value, "value"))
    else:
        text = words(value) if value is not None else ""
        match = re.search(r"[A-Za-z]+\s*$", text or "")
        said, amount = match.group().strip() if match else "", number(value)
    if amount is None:
        return {}
    return compact(value=tidy(amount), unitCode=UNITS.get(said.upper(), said.upper()))


def measure(value: Value | None) -> str | None:
    """A quantity with its unit, in words."""
    if not isinstance(value, Node):
        return words(value) if value is not None else None
    amount, unit = value.text("value"), value.text("unitText", "unitCode")
    return " ".join(part for part in (amount, unit) if part) or None


def engine(node: Node) -> str | None:
    """The engine in words."""
    for value in node.values("vehicleEngine"):
        if not isinstance(value, Node):
            return words(value)
        parts = [value.text("name"), value.text("engineType")]
        parts += [measure(one) for one in value.values("engineDisplacement")]
        parts += [measure(one) for one in value.values("enginePower")]
        return ", ".join(unique(parts)) or value.text("description")
    return None
