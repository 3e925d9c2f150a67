"""A small department store with what the scenes need: models and colours, brands, price ranges, discounts, pictures, items for
members, bundles; and what its shoppers did, as a build would have learned it."""

from __future__ import annotations

from typing import Any

from tests.support.window import DAY, NOW, Window

from regulars.catalogue.model import Item


def ware(item_id: str, category: str, brand: str, price_cents: int, days: int = 365, **changes: Any) -> Item:
    """An item listed `days` ago with a picture, in EUR; other keywords are fields, else attributes."""
    fields: dict[str, Any] = {
        name: changes.pop(name) for name in ("list_price_cents", "stock", "title", "currency", "image_url") if name in changes
    }
    values: dict[str, Any] = {
        "title": item_id.replace("-", " ").title(),
        "list_price_cents": price_cents,
        "currency": "EUR",
        "image_url": f"https://shop.example/{item_id}.jpg",
        **fields,
    }
    return Item(
        item_id=item_id,
        category=category,
        brand=brand,
        price_cents=price_cents,
        listed_at=NOW - days * DAY,
        attributes={name: str(value) for name, value in changes.items()},
        **values,
    )


STORE = (
    ware("nova-12-black", "electronics/phones", "Nova", 69900, model="nova-12", colour="black", size="128"),
    ware("nova-12-blue", "electronics/phones", "Nova", 69900, model="nova-12", colour="blue", size="128"),
    ware("nova-12-blue-256", "electronics/phones", "Nova", 79900, model="nova-12", colour="blue", size="256"),
    ware("pixie-7", "electronics/phones", "Pixie", 59900, model="pixie-7", colour="black"),
    ware("orbit-x", "electronics/phones", "Orbit", 64900, model="orbit-x", colour="white"),
    ware("nova-12-case", "electronics/cases", "Nova", 2490, colour="clear"),
    ware("leather-case", "electronics/cases", "Hide", 4990, colour="brown"),
    ware("glass-film", "electronics/films", "Shield", 1290),
    ware("fast-charger", "electronics/chargers", "Volt", 2990),
    ware("usb-cable", "electronics/chargers", "Volt", 790),
    ware("earbuds", "electronics/audio", "Nova", 8990, list_price_cents=11990),
    ware("linen-dress-red", "clothing/dresses", "Maren", 8900, style="minimal", colour="red", size="m"),
    ware("linen-dress-green", "clothing/dresses", "Maren", 8900, style="minimal", colour="green", size="m"),
    ware("linen-dress-red-l", "clothing/dresses", "Maren", 8900, style="minimal", colour="red", size="l"),
    ware("silk-dress", "clothing/dresses", "Oriel", 24900, style="evening", colour="black"),
    ware("straw-hat", "clothing/hats", "Maren", 3900),
    ware("sandals", "clothing/shoes", "Strand", 5900, list_price_cents=7900),
    ware("maren-scarf-new", "clothing/scarves", "Maren", 2900, days=5),
    ware("argan-shampoo", "care/hair", "Bloom", 1190),
    ware("argan-conditioner", "care/hair", "Bloom", 1290),
    ware("pure-conditioner", "care/hair", "Pure", 990),
    ware("hand-soap", "care/soap", "Bloom", 490),
    ware("bloom-gift-set", "care/sets", "Bloom", 2990, bundle="argan-shampoo,argan-conditioner,hand-soap"),
    ware("tea-green", "food/tea", "Leaf", 690),
    ware("tea-black", "food/tea", "Leaf", 650),
    ware("tea-oolong-reserve", "food/tea", "Leaf", 4900),
    ware("honey", "food/pantry", "Bee", 850),
    ware("cup-white", "kitchen/cups", "Kiln", 900, style="plain", colour="white"),
    ware("cup-sand", "kitchen/cups", "Kiln", 950, style="speckled", colour="sand"),
    ware("cup-blue", "kitchen/cups", "Kiln", 950, style="glossy", colour="blue"),
    ware("teapot", "kitchen/pots", "Kiln", 4500),
    ware("watch-steel", "watches", "Tempo", 19900),
    ware("watch-gold", "watches", "Tempo", 99900),
    ware("watch-sport", "watches", "Tempo", 14900),
    ware("watch-kids", "watches", "Tempo", 3900),
    ware("watch-classic", "watches", "Tempo", 24900),
    ware("watch-atelier", "watches", "Tempo", 149900, members_only="yes"),
    ware("pearl-earrings", "jewellery", "Oriel", 18900, exclusive="true"),
    ware("whisky", "food/spirits", "Glen", 5900, min_age="18"),
)


def store(shelf: tuple[Item, ...] = STORE) -> Window:
    """The store as its shoppers made it known: phones are compared with phones and bought with cases, cups in sets."""
    window = Window(shelf)
    window.learns(
        {
            "nova-12-black": {
                "similar": {"pixie-7": 1.0, "orbit-x": 0.8, "nova-12-blue": 0.7, "nova-12-case": 0.6},
                "together": {"nova-12-case": 1.0, "glass-film": 0.8, "fast-charger": 0.6, "pixie-7": 0.1, "earbuds": 0.3},
            },
            "pixie-7": {"similar": {"nova-12-black": 1.0}, "together": {"leather-case": 1.0}},
            "nova-12-case": {"together": {"glass-film": 1.0, "nova-12-black": 0.5}},
            "linen-dress-red": {
                "similar": {"silk-dress": 1.0, "linen-dress-green": 0.9},
                "together": {"straw-hat": 1.0, "sandals": 0.7},
            },
            "argan-shampoo": {
                "similar": {"pure-conditioner": 0.4},
                "together": {"pure-conditioner": 1.0, "argan-conditioner": 0.9, "hand-soap": 0.3},
            },
            "cup-white": {"together": {"cup-sand": 1.0, "cup-blue": 0.9, "teapot": 0.5, "tea-green": 0.4}},
            "teapot": {"together": {"tea-green": 1.0, "honey": 0.6, "cup-white": 0.5}},
            "tea-green": {"together": {"tea-black": 0.8, "honey": 0.7, "cup-white": 0.4}, "next": {"tea-black": 1.0}},
            "straw-hat": {"together": {"sandals": 1.0}},
        },
        gaps={"argan-shampoo": 40.0, "tea-green": 21.0},
    )
    window.sells("all", pixie_7=1.0, earbuds=0.9, tea_green=0.8, sandals=0.7, honey=0.5, usb_cable=0.4)
    return window
