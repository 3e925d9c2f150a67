"""The seven scenes: which rows each needs (`seeds`), and what it makes of them (`rank`)."""

from __future__ import annotations

from collections.abc import Mapping

from regulars.recommendations.scenes import cart, coming_back, home, members, product, rebuying, trending
from regulars.recommendations.scenes.common import Scene

SCENES: Mapping[str, Scene] = {
    "home": home.SCENE,
    "product": product.SCENE,
    "cart": cart.SCENE,
    "return": coming_back.SCENE,
    "repurchase": rebuying.SCENE,
    "members": members.SCENE,
    "trending": trending.SCENE,
}
