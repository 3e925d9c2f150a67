"""What came of it, printed: captured, tags and RFM, neighbours, recommendations with reasons, messages and silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from regulars.adapters.aws import client
from regulars.catalogue.model import Item
from regulars.decisions.model import Message, State
from regulars.decisions.reasons import sentence
from regulars.profiles.model import Profile
from regulars_demo.drive import Api, Tally
from regulars_demo.sources import Sources, tally
from regulars_local.stack import LocalStack

_BAR = "█"
SCENES = ("home", "return", "repurchase", "trending")


def captured(done: Tally) -> None:
    """What the replay sent, and which schedules ran."""
    _head("Captured through the HTTP API")
    for name, count in done.calls.most_common():
        print(f"   {count:6}  {name}")
    runs = ", ".join(f"{name} {count}" for name, count in sorted(done.runs.items()))
    print(f"   {len(done.rejected)} rejected. Schedules that ran: {runs}")


def summary(local: LocalStack, sources: Sources) -> None:
    """Everything after the replay, from the stack's own tables and API."""
    messages = sources.ledger()
    chosen = interesting(messages)
    titles = Titles(local)
    _shoppers([sources.profile(shopper) for shopper in chosen])
    api = Api(local.api_url, local.write_key)
    _neighbours(sources, titles)
    _recommendations(api, chosen)
    _messages(messages)


def interesting(messages: Iterable[Message]) -> list[str]:
    """Three shoppers with the most different stories: most kinds of moments, then most messages sent."""
    kinds: dict[str, set[str]] = {}
    sent: Counter[str] = Counter()
    for message in messages:
        kinds.setdefault(message.shopper, set()).add(message.kind)
        sent[message.shopper] += message.state is State.SENT
    return sorted(kinds, key=lambda shopper: (-len(kinds[shopper]), -sent[shopper], shopper))[:3]


class Titles:
    """Item titles, read as needed."""

    def __init__(self, local: LocalStack) -> None:
        from regulars.adapters.dynamodb.catalogue import DynamoCatalogue

        self._catalogue = DynamoCatalogue(local.tables["catalogue"])
        self._known: dict[str, Item] = {}

    def of(self, items: Sequence[str]) -> list[str]:
        """A title each, the id itself for an unknown item."""
        self._known.update(self._catalogue.get([item for item in items if item not in self._known]))
        return [self._known[item].title if item in self._known else item for item in items]


def _shoppers(profiles: Sequence[Profile]) -> None:
    _head("Three shoppers: tags (weight now), RFM, stage, tier")
    for profile in profiles:
        spent = sum(order.value_cents for order in profile.orders) / 100
        print(
            f"   {profile.shopper}: {profile.stage}, {profile.tier} value, RFM {profile.rfm or '-'}; "
            f"{len(profile.orders)} orders, £{spent:,.2f}; {profile.traits.get('country', '?')}"
        )
        top = sorted(profile.tags.items(), key=lambda tag: -tag[1])[:6]
        for tag, weight in top:
            print(f"      {weight:8.2f}  {tag}")
        if profile.rule_tags:
            print(f"      rule tags: {', '.join(sorted(profile.rule_tags))}")


def _neighbours(sources: Sources, titles: Titles) -> None:
    from regulars.adapters.dynamodb.models import DynamoModels

    models = DynamoModels(sources.stack.tables["models"])
    pointer = models.pointer()
    _head(f"Neighbours of three items (model {pointer.version if pointer else 'none'})")
    if pointer is None:
        return
    bought: Counter[str] = Counter()
    for shopper in sources.shoppers()[:40]:
        bought.update(sources.profile(shopper).purchases.keys())
    popular = [item for item, _ in bought.most_common(3)]
    for row in models.neighbours(pointer.version, popular):
        near = row.relations.get("together", ())[:4]
        print(f"   {titles.of([row.item_id])[0]}, bought together with")
        for title, (_, score) in zip(titles.of([item for item, _ in near]), near, strict=True):
            print(f"      {score:6.3f}  {title}")


def _recommendations(api: Api, shoppers: Sequence[str]) -> None:
    _head("Recommendations, with reasons, and the rule where one gave the place")
    for scene, shopper in zip(SCENES, (*shoppers, *shoppers), strict=False):
        question = f"userId={shopper.removeprefix('user:')}&limit=4&explain=true"
        answer = api.call("GET", f"/v1/recommendations/{scene}?{question}")
        print(f"   {scene} for {shopper}")
        for item in answer["items"]:
            rule = f" [rule {item['explain']['rule']}]" if item["explain"]["rule"] else ""
            print(f"      {item['position']:2} {item.get('title', item['itemId']):42.42} {item['reason']['text']}{rule}")
        removed = ", ".join(f"{rule} {count}" for rule, count in answer.get("removed", {}).items())
        if removed:
            print(f"         taken away by rules: {removed}")
        if not answer["items"]:
            print(f"      nothing: {answer.get('reason', 'no item passes the filters')}")


def _messages(messages: Sequence[Message]) -> None:
    kinds, reasons = tally(messages)
    _head("Messages decided")
    states = [state.value for state in State if any(state.value in counts for counts in kinds.values())]
    print("   " + "kind".ljust(22) + "".join(state.rjust(10) for state in states))
    for kind, counts in sorted(kinds.items()):
        print("   " + kind.ljust(22) + "".join(str(counts.get(state, 0)).rjust(10) for state in states))
    by_channel = Counter(message.channel for message in messages if message.state is State.SENT)
    print("   sent by channel: " + (", ".join(f"{name} {count}" for name, count in by_channel.most_common()) or "none"))
    _head("Silence, by reason")
    for reason, count in sorted(reasons.items(), key=lambda entry: -entry[1]):
        print(f"   {count:6}  {reason}: {sentence(reason)}")


def _head(text: str) -> None:
    print(f"\n{text}\n{_BAR * 3}", flush=True)


def functions(local: LocalStack) -> list[str]:
    """Names of the deployed functions."""
    pages: Any = client("lambda").get_paginator("list_functions").paginate()
    return sorted(entry["FunctionName"] for page in pages for entry in page["Functions"])
