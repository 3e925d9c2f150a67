"""What an order of a shopper will be worth: gamma-gamma, or her mean shrunk to the shop's where gamma-gamma does not fit.

Fader & Hardie, "The Gamma-Gamma Model of Monetary Value" (2013): a shopper's orders scatter around her own mean as
Gamma(p, ν), ν ~ Gamma(q, γ). With n orders of mean m the next is expected to be worth

    E = p·(γ + n·m) / (p·n + q − 1) = ((q−1)·μ + p·n·m) / (q − 1 + p·n),   μ = p·γ / (q−1) the shop's mean

so both are the same mixture: μ counts as (q−1)/p orders of her own, or as `trusted_purchases`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OrderValue:
    """`mean`: of the shop, in whatever unit was learned from; `counts_as`: how many of a shopper's own orders it weighs."""

    mean: float
    counts_as: float
    model: str = "shrunk mean"

    def expected(self, orders: Any, mean: Any) -> Any:
        """Of a shopper (or arrays of them) with that many orders of that mean worth."""
        return (self.counts_as * self.mean + orders * mean) / (self.counts_as + orders)
