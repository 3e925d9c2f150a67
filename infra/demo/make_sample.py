"""Makes the sample that `make demo` replays, out of Online Retail II (UCI, CC BY 4.0).

    uv run python infra/demo/make_sample.py ../shared/data/online_retail_2/lines.parquet

Keeps whole histories: shoppers with 3 to 60 orders, chosen by a hash of their number so that the choice is stable, all
their invoices and credit notes, lines cleaned as the benchmark does (item code of five digits, price above zero). Writes
`orders.csv.gz` (one line an invoice line) and `catalogue.jsonl.gz` (one line an item). Titles and prices are the shop's;
the category is derived here from words of the title, since the source has none; stock is not in the source and is left out.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as parquet

SHARE = 0.0105  # of the eligible shoppers: about 45
MIN_ORDERS, MAX_ORDERS = 3, 60
ITEM_CODE = re.compile(r"^\d{5}[A-Z]*$")
CATEGORIES = {
    "christmas": ("CHRISTMAS", "XMAS", "ADVENT", "SANTA", "REINDEER", "SNOW"),
    "lights-and-candles": ("LIGHT", "CANDLE", "LANTERN", "T-LIGHT", "LAMP", "INCENSE"),
    "kitchen": (
        "MUG",
        "CUP",
        "TEA",
        "PLATE",
        "BOWL",
        "JAR",
        "CAKE",
        "BAKING",
        "KITCHEN",
        "SPOON",
        "PANTRY",
        "JUG",
        "TRAY",
        "COFFEE",
        "EGG",
    ),
    "bags": ("BAG", "SHOPPER", "PURSE", "LUGGAGE", "BACKPACK"),
    "stationery": ("CARD", "PAPER", "NOTEBOOK", "PENCIL", "PEN ", "WRAP", "RIBBON", "TISSUE", "STICKER", "JOURNAL", "ENVELOPE"),
    "jewellery": ("NECKLACE", "BRACELET", "EARRING", "RING ", "BROOCH", "JEWEL"),
    "toys": ("TOY", "DOLL", "GAME", "PLAYING", "PUZZLE", "SKITTLES", "CHILDREN", "SPACEBOY", "DOLLY", "TEDDY"),
    "garden": ("GARDEN", "PLANT", "FLOWER", "BIRD", "WATERING", "HERB"),
    "home": (
        "CUSHION",
        "FRAME",
        "CLOCK",
        "HOOK",
        "HANGER",
        "SIGN",
        "MIRROR",
        "DRAWER",
        "CABINET",
        "DOORMAT",
        "BOX",
        "TIN",
        "BASKET",
        "HEART",
        "BUNTING",
    ),
    "bath-and-body": ("SOAP", "BATH", "HAND WARMER", "HOT WATER BOTTLE", "TOWEL"),
}


def main(source: Path, target: Path) -> None:
    table = parquet.read_table(source, columns=["invoice", "item", "desc", "qty", "ts", "price", "user", "country"])
    rows = [row for row in table.to_pylist() if row["user"] and row["price"] > 0 and ITEM_CODE.match(row["item"].upper())]
    for row in rows:
        row["item"] = row["item"].upper()
        row["user"] = str(int(row["user"]))
    orders: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if not row["invoice"].startswith("C"):
            orders[row["user"]].add(row["invoice"])
    chosen = {user for user, invoices in orders.items() if MIN_ORDERS <= len(invoices) <= MAX_ORDERS and _share(user) < SHARE}
    kept = sorted((row for row in rows if row["user"] in chosen), key=lambda row: (row["ts"], row["invoice"], row["item"]))
    _write_orders(kept, target / "orders.csv.gz")
    _write_catalogue(kept, target / "catalogue.jsonl.gz")
    print(f"{len(chosen)} shoppers, {len({row['invoice'] for row in kept})} invoices, {len(kept)} lines")


def _share(user: str) -> float:
    return int.from_bytes(hashlib.blake2b(user.encode(), digest_size=8).digest()) / 2**64


def _write_orders(rows: list[dict], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["invoice", "ts", "user", "country", "item", "qty", "price"])
    for row in rows:
        writer.writerow(
            [row["invoice"], row["ts"].isoformat(), row["user"], row["country"], row["item"], row["qty"], row["price"]]
        )
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def _write_catalogue(rows: list[dict], path: Path) -> None:
    titles: dict[str, str] = {}
    prices: dict[str, list[float]] = defaultdict(list)
    first: dict[str, str] = {}
    for row in rows:
        titles[row["item"]] = " ".join((row["desc"] or "").split())
        prices[row["item"]].append(row["price"])
        first.setdefault(row["item"], row["ts"].date().isoformat())
    lines = [
        json.dumps(
            {
                "item_id": item,
                "title": titles[item].title(),
                "category": _category(titles[item]),
                "price": f"{statistics.median(prices[item]):.2f}",
                "currency": "GBP",
                "listed_at": first[item],
                "url": f"https://shop.example/items/{item}",
                "image_url": f"https://shop.example/images/{item}.jpg",
            },
            ensure_ascii=False,
        )
        for item in sorted(titles)
        if titles[item]
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", 9, mtime=0))


def _category(title: str) -> str:
    for category, words in CATEGORIES.items():
        if any(word in title.upper() + " " for word in words):
            return category
    return "gifts"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent / "sample")
