"""MBG/NBD: how often a shopper buys while alive, and whether she still is, out of three numbers of her history.

Batislam, Denizel & Filiztekin, "Empirical validation and comparison of models for customer base analysis" (2007); Hoppe &
Wagner, "Customer Base Analysis: The Case for a Central Variant of the Betageometric/NBD Model" (2007). While alive she buys
as a Poisson process with rate λ ~ Gamma(r, α); after every purchase, the first too, she drops out with p ~ Beta(a, b).
x repeat purchases, the last `recency` days after the first, seen for `span` days. All times in days.

Expected purchases in the next h days, with z = h / (α + T + h):

    (a+b+x)/(a−1) · [1 − ((α+T)/(α+T+h))^(r+x) · ₂F₁(r+x, b+x+1; a+b+x; z)] · P(alive)
    P(alive) = 1 / (1 + a/(b+x) · ((α+T)/(α+recency))^(r+x))

(α+T)/(α+T+h) is 1−z, so Euler's transformation makes the product (1−z)^(a−1) · ₂F₁(a+b−r, a−1; a+b+x; z), whose series
converges fast. It is summed where a+b ≥ r, the other where not: so no terms cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

_NEAR_ONE = 1e-6
_SMALL = 1e-12
_MOST_TERMS = 20_000


@dataclass(frozen=True, slots=True)
class Mbg:
    """Parameters of a shop: `r`, `alpha` (days) of the rates, `a`, `b` of the drop-out."""

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, repeats: float, recency: float, span: float) -> float:
        """P(alive) after `span` days."""
        ratio = (self.alpha + span) / (self.alpha + recency)
        dead: float = self.a / (self.b + repeats) * ratio ** (self.r + repeats)
        return 1.0 / (1.0 + dead)

    def expected(self, repeats: float, recency: float, span: float, horizon_days: float) -> float:
        """Purchases in the next `horizon_days`."""
        if horizon_days <= 0:
            return 0.0
        a = self.a if abs(self.a - 1) > _NEAR_ONE else 1 + _NEAR_ONE  # the limit at 1, which the formula leaves out
        z = horizon_days / (self.alpha + span + horizon_days)
        top = a + self.b + repeats
        if a + self.b >= self.r:
            lasting = (1 - z) ** (a - 1) * hyp2f1(a + self.b - self.r, a - 1, top, z)
        else:
            lasting = (1 - z) ** (self.r + repeats) * hyp2f1(self.r + repeats, self.b + repeats + 1, top, z)
        bought: float = top / (a - 1) * (1 - lasting) * self.alive(repeats, recency, span)
        return max(0.0, bought)


def hyp2f1(a: float, b: float, c: float, z: float) -> float:
    """Gauss's series Σ (a)ₖ(b)ₖ/(c)ₖ zᵏ/k! for 0 ≤ z < 1 and c > 0 (NIST DLMF 15.2.1)."""
    term = total = 1.0
    for k in range(_MOST_TERMS):
        term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z
        total += term
        if abs(term) <= _SMALL * abs(total):
            break
    return total
