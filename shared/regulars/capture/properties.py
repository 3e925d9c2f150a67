"""What the properties of a shop's events must look like, and the little that is put straight.

Checked are only built-in commerce names, and of their properties only what the engine reads: ids, prices, quantities,
currency, products. Ids may be numbers and become text; a product named by `sku` alone gets it as `product_id`; a
currency becomes upper case. All else passes untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.capture import names
from regulars.capture.currencies import CURRENCIES
from regulars.errors import Invalid

_AMOUNTS = ("price", "total", "revenue", "subtotal", "value", "shipping", "tax", "discount", "list_price")
_MAX_AMOUNT = 1e12
_MAX_COUNT = 10**9
_COUNTS = ("stock", "position")
_SCALARS = frozenset((*_AMOUNTS, *_COUNTS, "quantity", "dwell_seconds", "scroll_depth", "rating"))


def commerce_properties(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The checked properties of the commerce event `name`; raises Invalid with the code and place of the first fault."""
    checked = dict(given)
    if name == names.INVENTORY_UPDATED and "stock" not in checked and "quantity" in checked:
        # Segment's vocabulary has only `quantity`; of a stock it may be 0, of anything else it may not.
        checked["stock"] = checked.pop("quantity")
    _check_product(checked, "properties", required=name in names.ABOUT_PRODUCT)
    if name in names.ABOUT_ORDER:
        checked["order_id"] = _an_id(checked.get("order_id"), "properties.order_id", "order_id")
    currency = checked.get("currency")
    if currency is not None:
        checked["currency"] = _a_currency(currency)
    products = checked.get("products")
    if products is not None:
        checked["products"] = _products(products)
    if name == names.INVENTORY_UPDATED and "stock" not in checked:
        raise Invalid("stock is missing", field="properties.stock", code="missing_stock")
    return checked


def _products(products: Any) -> list[dict[str, Any]]:
    if type(products) is not list:
        raise Invalid("products must be a list of objects", field="properties.products", code="invalid_products")
    checked = []
    for place, product in enumerate(products):
        where = f"properties.products[{place}]"
        if type(product) is not dict:
            raise Invalid("a product must be an object", field=where, code="invalid_products")
        product = dict(product)
        _check_product(product, where, required=True)
        checked.append(product)
    return checked


def _check_product(product: dict[str, Any], where: str, *, required: bool) -> None:
    """Puts ids straight in place and checks the numbers that are there."""
    product_id, sku = product.get("product_id"), product.get("sku")
    if sku is not None:
        product["sku"] = sku = _an_id(sku, f"{where}.sku", "product_id")
    if product_id is not None:
        product["product_id"] = _an_id(product_id, f"{where}.product_id", "product_id")
    elif sku is not None:
        product["product_id"] = sku
    elif required:
        raise Invalid("product_id or sku is missing", field=f"{where}.product_id", code="missing_product_id")
    for key in _SCALARS.intersection(product):
        value = product[key]
        if value is None:
            del product[key]
        else:
            product[key] = _a_number(key, value, where)


def _a_number(key: str, value: Any, where: str) -> int | float:
    kind = type(value)
    if kind is not int and kind is not float:
        raise Invalid(f"{key} must be a number, not {_word(value)}", field=f"{where}.{key}", code=_code(key))
    number: int | float = value
    if key == "quantity":
        return _a_count(number, 1, f"{where}.quantity", "invalid_quantity")
    if key in _COUNTS:
        return _a_count(number, 0, f"{where}.{key}", _code(key))
    if number < 0:
        raise Invalid(f"{key} must not be negative", field=f"{where}.{key}", code=_code(key))
    if number > _MAX_AMOUNT or (key == "scroll_depth" and number > 100):
        raise Invalid(f"{key} is too large", field=f"{where}.{key}", code=_code(key))
    return number


def _a_count(number: int | float, least: int, field: str, code: str) -> int:
    if number != number // 1 or not least <= number <= _MAX_COUNT:
        raise Invalid(f"must be a whole number of at least {least}", field=field, code=code)
    return int(number)


def _a_currency(value: Any) -> str:
    code = value.upper() if isinstance(value, str) else ""
    if code not in CURRENCIES:
        raise Invalid("currency is not an ISO 4217 code", field="properties.currency", code="unknown_currency")
    return code


def _an_id(value: Any, field: str, noun: str) -> str:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{noun} is missing or not text", field=field, code=f"missing_{noun}")
    if len(value) > 256 or not value.isprintable():
        raise Invalid(f"{noun} is too long or holds control characters", field=field, code=f"invalid_{noun}")
    return value


def _code(key: str) -> str:
    return f"invalid_{key}" if key not in _AMOUNTS else "invalid_price" if key == "price" else "invalid_amount"


def _word(value: Any) -> str:
    return {bool: "a boolean", str: "text", list: "a list", dict: "an object"}.get(type(value), "that")
