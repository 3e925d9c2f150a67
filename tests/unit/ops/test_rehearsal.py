"""A rehearsal decides and renders as the shop would, on a copy, and tells about everybody."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.decisions import ShopWindow, numbers
from tests.support.sending import SETTINGS, link_maker
from tests.support.shoppers import weights

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.adapters.memory.timers import MemoryTimers
from regulars.channels.rendering import Renderer
from regulars.clock import to_ms
from regulars.decisions.config import Decisions
from regulars.decisions.model import State
from regulars.errors import Invalid
from regulars.offers.config import OfferSettings
from regulars.profiles.model import Profile
from regulars.profiles.record import Record, Standing
from regulars.shop import section
from regulars.triggers.config import Triggers
from regulars.triggers.model import Timer
from regulars_ops.rehearsal.copying import Copy, Sources, copy_shopper, sampled
from regulars_ops.rehearsal.plan import Audience, Campaign, read_campaign
from regulars_ops.rehearsal.running import Rehearsal, Rules, VirtualClock
from regulars_ops.rehearsal.telling import Line, line_of, text, totals, write_csv

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AUTUMN = Campaign(campaign="summer", kind="winback_dormant", at=NOON.isoformat(), audience=Audience(stages=("dormant",)))


class Shop:
    """Three shoppers: one far east, one suppressed, one who never agreed."""

    def __init__(self) -> None:
        self.profiles, self.contacts, self.suppressions = MemoryProfiles(), MemoryContacts(), MemorySuppressions()
        self.ledger, self.timers = MemoryLedger(self.contacts, self.suppressions), MemoryTimers()
        self.add("user:mei", "mei@example.com", zone="Asia/Shanghai")
        self.add("user:bo", "bo@example.com")
        self.suppressions.add("email", "bo@example.com", reason="bounce", now=NOON)
        self.add("user:cy", "cy@example.com", consent=False)

    def add(self, shopper: str, email: str, *, zone: str = "Europe/London", consent: bool = True) -> None:
        seen = to_ms(NOON - 200 * DAY)
        self.profiles.save(
            Record(shopper=shopper, first_ms=seen, newest_ms=seen, standing=Standing(stage="dormant", tier="low"))
        )
        self.contacts.update(
            shopper,
            now=NOON - DAY,
            addresses={"email": email},
            consent={"email": consent},
            details={"time_zone": zone, "name": shopper[5:].title()},
        )

    def copied(self) -> Copy:
        sources = Sources(
            profiles=self.profiles,
            contacts=self.contacts,
            suppressions=self.suppressions,
            ledger=self.ledger,
            timers=self.timers,
        )
        copy = Copy()
        for stored in self.profiles.scan():
            copy_shopper(stored, sources, copy, NOON)
        return copy


def rehearsed(
    shop: Shop, campaign: Campaign | None = AUTUMN, days: float = 3, decisions: Decisions | None = None
) -> tuple[Rehearsal, list[Line]]:
    copy, clock = shop.copied(), VirtualClock(NOON)
    rehearsal = Rehearsal(
        copy=copy,
        rules=Rules(
            decisions=decisions or numbers(),
            channels=SETTINGS,
            weights=weights(),
            firing=section(Triggers, "triggers").firing,
            offers=section(OfferSettings, "offers"),
        ),
        clock=clock,
        showcase=ShopWindow(),
        renderer=Renderer(SETTINGS, link_maker(clock)),
    )
    planned = {campaign.begins: [campaign.moment(shopper) for shopper in copy.shoppers]} if campaign else {}
    for _ in rehearsal.run(NOON + days * DAY, planned):
        pass
    return rehearsal, [line_of(message, copy.contacts, numbers().place) for message in rehearsal.messages()]


def test_it_tells_who_when_and_why_not_and_leaves_the_shop_alone() -> None:
    shop = Shop()
    rehearsal, lines = rehearsed(shop)
    told = {line.shopper: line for line in lines}
    assert told["user:mei"].outcome == "sent"
    assert told["user:mei"].channel == "email"
    assert told["user:mei"].local[:21] == "Wed 2026-06-10 20:00 "[:21] or told["user:mei"].local.split()[2] >= "20:00"
    assert told["user:mei"].local.endswith("Asia/Shanghai")
    assert told["user:bo"].reason == "suppressed"
    assert told["user:cy"].reason == "no_consent"
    assert [envelope.address for envelope in rehearsal.provider.outbox] == ["mei@example.com"]
    assert shop.ledger.list("user:mei") == []
    assert shop.contacts.load("user:mei").slots == ()
    assert rehearsal.copy.contacts.load("user:mei").slots != ()


def test_an_offer_comes_with_its_coupon() -> None:
    kind = replace(numbers().kinds["winback_dormant"], offer="winback_25")
    giving = replace(numbers(), kinds={**numbers().kinds, "winback_dormant": kind})
    rehearsal, lines = rehearsed(Shop(), decisions=giving)
    (sent,) = [line for line in lines if line.outcome == "sent"]
    assert "25% off" in sent.offer
    assert [key[:2] for key in rehearsal.copy.offers.coupons_by_key] == [("user:mei", "winback_25")]


def test_timers_that_stand_fire_at_their_time_and_what_was_sent_before_counts() -> None:
    shop = Shop()
    due = NOON + 5 * timedelta(hours=1)
    shop.timers.set(
        Timer(
            shopper="user:mei",
            kind="birthday",
            subject="2026",
            due_at=due,
            occurred_at=due,
            expires_at=due + 2 * DAY,
        )
    )
    _, lines = rehearsed(shop, campaign=None)
    assert [(line.kind, line.outcome) for line in lines] == [("birthday", "sent")]
    _, both = rehearsed(shop)
    assert sum(line.outcome == "sent" for line in both if line.shopper == "user:mei") == 2
    assert sorted(line.at for line in both if line.outcome == "sent")[1] > due.strftime("%Y-%m-%dT%H")


def test_what_cannot_be_rendered_is_told() -> None:
    shop = Shop()
    shop.contacts.update("user:cy", now=NOON, consent={"email": True})
    window = ShopWindow()
    window.stock.clear()
    rehearsal, lines = rehearsed(shop, Campaign(campaign="carts", kind="cart_abandoned", at=NOON.isoformat(), items=("gone",)))
    assert {line.reason for line in lines if line.shopper == "user:cy"} == {"nothing_to_show"}
    assert rehearsal.refused == {}


def test_totals_text_and_table_agree() -> None:
    _, lines = rehearsed(Shop())
    told = totals(lines, 3, {"audience": 3, "undecided": 0})
    assert told["outcomes"] == {"sent": 1, "not sent": 2}
    assert told["why_not"] == {"suppressed": 1, "no_consent": 1}
    shown = text(told, lines, 5)
    assert "Nothing was sent and nothing was written." in shown
    assert "user:bo" in shown
    assert "bounced, complained or said stop" in shown
    file = io.StringIO()
    write_csv(lines, file)
    assert len(file.getvalue().splitlines()) == 4
    assert "No moment comes up" in text(totals([], 3, {}), [], 5)


def test_a_share_is_the_same_shoppers_every_time() -> None:
    shop = Shop()
    for number in range(200):
        shop.add(f"user:{number}", f"{number}@example.com")
    half = [stored.record.shopper for stored in sampled(shop.profiles.scan(), 0.5)]
    assert half == [stored.record.shopper for stored in sampled(shop.profiles.scan(), 0.5)]
    assert 70 < len(half) < 135
    assert len(list(sampled(shop.profiles.scan(), 1.0))) == 203


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("campaign: x\nkind: nothing\nat: 2026-06-10T12:00:00Z", "kind"),
        ("campaign: x\nkind: order_update\nat: 2026-06-10T12:00:00Z", "kind"),
        ('campaign: x\nkind: birthday\nat: "soon"', "at"),
        ('campaign: x\nkind: birthday\nat: "2026-06-10T12:00:00"', "at"),
        ('campaign: x\nkind: birthday\nat: "2026-06-10T12:00:00Z"\nlapses_hours: 0', "lapses_hours"),
        ("kind: birthday", "campaign.campaign"),
    ],
)
def test_a_wrong_campaign_is_refused_by_its_path(document: str, field: str) -> None:
    with pytest.raises(Invalid, match=field.split(".")[-1]):
        read_campaign(document, numbers())


def test_an_audience_is_what_all_its_lines_allow() -> None:
    profile = Profile(shopper="user:1", as_of=NOON, stage="dormant", tier="high", tags={"preference/style/minimal": 2.0})
    contact = MemoryContacts().load("user:1")
    assert Audience().holds(profile, contact, numbers())
    assert Audience(stages=("dormant",), tiers=("high", "mid"), tags=("preference/style/minimal", "x")).holds(
        profile, contact, numbers()
    )
    assert Audience(countries=("GB",)).holds(profile, contact, numbers())
    assert not Audience(countries=("CN",)).holds(profile, contact, numbers())
    assert not Audience(stages=("dormant",), tags=("x",)).holds(profile, contact, numbers())


def test_a_campaign_twice_is_one_message() -> None:
    shop = Shop()
    rehearsal, _ = rehearsed(shop)
    first = rehearsal.copy.ledger.list("user:mei")
    assert [message.state for message in first] == [State.SENT]
    rehearsal.moments.send([AUTUMN.moment("user:mei")])
    for _ in rehearsal.run(NOON + 4 * DAY, {rehearsal.clock.now: [AUTUMN.moment("user:mei")]}):
        pass
    assert rehearsal.copy.ledger.list("user:mei") == first
