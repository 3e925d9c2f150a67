"""Prices as shoppers read them."""

from __future__ import annotations

_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "CNY": "¥", "JPY": "¥", "HKD": "HK$", "AUD": "A$", "CAD": "CA$", "SGD": "S$"}
_WHOLE = frozenset({"JPY", "KRW", "VND"})


def money(cents: int, currency: str) -> str:
    """`1250, "GBP"` → `£12.50`; currencies without a known sign keep their code; "" for nothing or less."""
    if cents <= 0:
        return ""
    whole, rest = divmod(cents, 100)
    amount = f"{whole:,}" if currency in _WHOLE else f"{whole:,}.{rest:02d}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount}" if symbol else f"{amount} {currency}".strip()
