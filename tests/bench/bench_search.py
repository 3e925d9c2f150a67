"""How much CPU and memory a search takes, and where its index should come from.

    python tests/bench/bench_search.py [--items 100000] [--calls 300]

Prints, for a catalogue of `items` with titles of Zipf-distributed words: building the index (what a cold start would take
without a published one) beside reading it; bytes stored and in memory; and p50 and p99 of `time.process_time` of the use case
by kind of question (goal: p50 ≤ 10 ms over all kinds), with everything read from memory adapters.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from regulars.adapters.memory.storage import MemoryStorage
from regulars.catalogue.model import Item
from regulars.catalogue.snapshot import Snapshot, SnapshotReader, load, publish
from regulars.profiles.model import Profile
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.model import Ask
from regulars.recommendations.ports import Neighbourhood, Opening
from regulars.recommendations.search.model import SCENE, Question
from regulars.recommendations.search.packing import pack, unpack
from regulars.recommendations.search.publishing import PublishSearch
from regulars.recommendations.search.reading import BODY_KEY, IndexReader
from regulars.recommendations.search.service import Search
from regulars.recommendations.search.suggesting import Suggest
from regulars.shop import section

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
HAN = [chr(0x4E00 + n) for n in range(800)]


def words(dice: random.Random, count: int) -> list[str]:
    """Made-up words, most frequent first."""
    syllables = [first + vowel + last for first in "bcdfghklmnprstvw" for vowel in "aeiou" for last in ("", "n", "r", "l", "t")]
    return list(dict.fromkeys("".join(dice.choices(syllables, k=dice.choice((2, 2, 3)))) for _ in range(count)))


def items(count: int, dice: random.Random, vocabulary: list[str]) -> Iterator[Item]:
    """Items with 6 words, brand, category, two attributes; every fifth has a Chinese title."""
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    brands = [word.title() for word in dice.sample(vocabulary, 800)]
    shelves = [f"{dice.choice(vocabulary[:40])}/{word}" for word in dice.sample(vocabulary, 300)]
    for number in range(count):
        title = " ".join(dice.choices(vocabulary, cum_weights=weights, k=6)).title() + f" {dice.randrange(100, 999)}"
        if number % 5 == 0:
            title = "".join(dice.choices(HAN, k=12))
        yield Item(
            item_id=f"item-{number:06d}",
            title=title,
            brand=dice.choice(brands),
            category=dice.choice(shelves),
            price_cents=dice.randrange(100, 90_000),
            currency="EUR",
            attributes={"colour": dice.choice(("red", "blue", "black")), "rating": f"{dice.uniform(2, 5):.1f}"},
            listed_at=NOW - timedelta(days=dice.randrange(900)),
        )


class Sources:
    """One shopper with taste; two hundred items sold out."""

    def __init__(self, profile: Profile, gone: frozenset[str]) -> None:
        self._opening, self._around = Opening(profile), Neighbourhood(stock_outs=gone)

    def open(self, shopper: str, now: datetime) -> Opening:
        return self._opening

    def neighbourhood(self, *_: Any) -> Neighbourhood:
        return self._around


def questions(dice: random.Random, snapshot: Snapshot, vocabulary: list[str]) -> Mapping[str, Callable[[], Question]]:
    """Kinds of question."""
    ids = list(snapshot)

    def title() -> list[str]:
        while True:
            found = snapshot[dice.choice(ids)].title.split()
            if len(found) > 3:
                return found

    def han() -> str:
        return snapshot[ids[5 * dice.randrange(len(ids) // 5)]].title

    def ask(text: str, **changes: Any) -> Question:
        return Question(ask=Ask(scene=SCENE, shopper="user:42", limit=20), text=text, **changes)

    return {
        "two words of a title": lambda: ask(" ".join(title()[:2])),
        "three words": lambda: ask(" ".join(title()[1:4])),
        "one common word": lambda: ask(dice.choice(vocabulary[:20])),
        "the commonest two": lambda: ask(f"{vocabulary[0]} {vocabulary[1]}"),
        "a colour (a third of all)": lambda: ask("red"),
        "a misspelt word": lambda: ask(slipped(dice, max(title()[:4], key=len))),
        "a beginning": lambda: ask(title()[0][:4]),
        "words that do not go together": lambda: ask(" ".join(dice.sample(vocabulary[200:2000], 4))),
        "two Chinese characters": lambda: ask(han()[3:5]),
        "one Chinese character": lambda: ask(han()[3]),
        "nothing known": lambda: ask("xq zzqx"),
        "common word, price bounds": lambda: ask(vocabulary[3], price_from=1000, price_to=5000),
        "common word, by price": lambda: ask(vocabulary[3], sort="price"),
    }


def slipped(dice: random.Random, word: str) -> str:
    place = dice.randrange(1, len(word))
    return word[:place] + dice.choice("qxz") + word[place:]


def measured(call: Callable[[], Any], calls: int) -> list[float]:
    """Milliseconds of CPU, sorted."""
    for _ in range(10):
        call()
    taken = []
    for _ in range(calls):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1000)
    return sorted(taken)


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = call()
    return time.process_time() - began, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=300)
    chosen = parser.parse_args()
    dice, storage = random.Random(1), MemoryStorage()
    settings = section(RecommendationSettings, "recommendations")
    vocabulary = words(dice, 30_000)
    publish(storage, items(chosen.items, dice, vocabulary), NOW)
    snapshot = load(storage)
    heat = {item_id: dice.random() ** 8 for item_id in snapshot}
    built, summary = seconds(lambda: PublishSearch(storage, settings.search).publish(snapshot, heat, NOW))
    print({name: value for name, value in summary.items() if name != "search_version"})
    blob = storage.get(BODY_KEY) or b""
    read, index = seconds(lambda: unpack(blob))
    packed, _ = seconds(lambda: pack(index))
    print(f"index of {len(index)} items: built in {built:.2f} s (of which writing {packed:.2f}), read in {read:.2f} s")
    print(f"  reading it is {built / read:.0f} times as fast as building it in the cold start")
    gc.collect()
    tracemalloc.start()
    kept = unpack(blob)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"  {len(blob) / 1e6:.1f} MB stored, {now / 1e6:.0f} MB in memory, {peak / 1e6:.0f} MB while reading")
    print(f"  {len(kept.docs)} postings of {len(kept.terms)} words")
    her = Profile(
        shopper="user:42",
        as_of=NOW,
        tags={f"preference/brand/{word}": 1.0 + n for n, word in enumerate(vocabulary[:30])},
        item_seen_at={f"item-{n:06d}": NOW for n in range(20)},
    )
    gone = frozenset(f"item-{number:06d}" for number in range(0, 20_000, 100))
    reader = IndexReader(storage, lambda: NOW, 60, settings.search, lambda *_: None)
    snapshots = SnapshotReader(storage, lambda: NOW, 3600)
    search = Search(Sources(her, gone), snapshots, reader, settings, lambda: NOW, lambda *_: None)
    first, _ = seconds(lambda: search(Question(ask=Ask(scene=SCENE), text="red")))
    print(f"first search with catalogue and index to read: {first:.2f} s")
    gc.collect()
    gc.freeze()
    everything: list[float] = []
    for name, make in questions(dice, snapshots(), vocabulary).items():
        made = iter([make() for _ in range(chosen.calls + 10)])
        taken = measured(lambda made=made: search(next(made)), chosen.calls)  # type: ignore[misc]
        everything += taken
        print(f"  {name:32} p50 {taken[len(taken) // 2]:6.2f} ms, p99 {taken[int(len(taken) * 0.99)]:6.2f} ms")
    everything.sort()
    print(f"all kinds: p50 {everything[len(everything) // 2]:.2f} ms, p99 {everything[int(len(everything) * 0.99)]:.2f} ms")
    suggest = Suggest(search)
    beginnings = iter([vocabulary[dice.randrange(3000)][: dice.randrange(1, 6)] for _ in range(chosen.calls + 10)])
    taken = measured(lambda: suggest(next(beginnings), 8), chosen.calls)
    print(f"suggestions: p50 {taken[len(taken) // 2]:.2f} ms, p99 {taken[int(len(taken) * 0.99)]:.2f} ms")


if __name__ == "__main__":
    main()
