"""Every store of offers keeps the same promises: one coupon a shopper and edition, no more than there are, back once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.support.decisions import message
from tests.support.offers import ANN, BEN, DAY, HOUR, NOON, SECRET, Market, basket, piece, settings

from regulars.channels.model import Contact
from regulars.decisions.model import State
from regulars.decisions.ports import Contacts, Ledger
from regulars.errors import Conflict
from regulars.offers.codes import Codes, place_of
from regulars.offers.model import Coupon, CouponState, Reservation, Take, Uses
from regulars.offers.ports import Offers

ENDS = NOON + DAY
LANE_HOUR = int(ENDS.timestamp()) // 3600


class Shelf:
    """A store, and a ledger whose claims take from it."""

    def __init__(self, store: Offers, ledger: Ledger, contacts: Contacts) -> None:
        self.store, self.ledger, self.contacts = store, ledger, contacts

    def issued(self, shopper: str = ANN, offer: str = "flash", takes: tuple[Take, ...] = (), at: datetime = NOON) -> Coupon:
        coupon = new(shopper, offer, takes, at)
        self.store.issue(Reservation(coupon=coupon))
        return coupon

    def of(self, coupon: Coupon) -> Coupon:
        found = self.store.coupon(*coupon.key)
        assert found is not None
        return found


def new(shopper: str = ANN, offer: str = "flash", takes: tuple[Take, ...] = (), at: datetime = NOON) -> Coupon:
    code = Codes(SECRET).make(shopper, offer, "", ENDS)
    return Coupon(shopper=shopper, offer=offer, edition="", code=code, issued_at=at, expires_at=ENDS, takes=takes)


@pytest.fixture(params=["memory", "dynamodb"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    if request.param == "memory":
        from regulars.adapters.memory.contacts import MemoryContacts
        from regulars.adapters.memory.messages import MemoryLedger
        from regulars.adapters.memory.offers import MemoryOffers
        from regulars.adapters.memory.suppressions import MemorySuppressions

        offers, known = MemoryOffers(), MemoryContacts()
        return Shelf(offers, MemoryLedger(known, MemorySuppressions(), offers), known)
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.offers import DynamoOffers

    create = request.getfixturevalue("create_table")
    for name in ("messages", "contacts", "offers"):
        create(name, True)
    create("suppressions", False)
    return Shelf(
        DynamoOffers("offers"), DynamoLedger("messages", "contacts", "suppressions", "offers"), DynamoContacts("contacts")
    )


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Conflict) as raised:
        act()
    assert raised.value.code == code


def test_what_is_issued_is_read_back_by_key_by_shopper_and_by_code(shelf: Shelf) -> None:
    first = shelf.issued(takes=(piece(limit=5),))
    second = shelf.issued(offer="other", at=NOON + HOUR)
    assert shelf.store.coupon(*first.key) == first
    assert list(shelf.store.coupons(ANN)) == [second, first]
    assert shelf.store.find(first.code) == first
    assert shelf.store.find(new(BEN).code) is None
    assert shelf.store.coupon(BEN, "flash", "") is None


def test_coupons_of_several_names_are_read_together(shelf: Shelf) -> None:
    mine, theirs = shelf.issued(), shelf.issued(BEN)
    shelf.issued("user:eve")
    shelf.issued(offer="other")
    shelf.store.redeem(mine, order_id="o-1", discount_cents=1, now=NOON, uses=())
    found = shelf.store.held([ANN, BEN, "anon:nobody"], "flash", "")
    assert sorted(found, key=lambda coupon: coupon.shopper) == [shelf.of(mine), theirs]
    assert list(shelf.store.held([ANN], "flash", "2026")) == []


def test_one_coupon_a_shopper_and_no_more_than_the_shard_holds(shelf: Shelf) -> None:
    last = (piece(limit=1),)
    shelf.issued(takes=last)
    refused("coupon_held", lambda: shelf.issued(takes=last))
    refused("pool_empty", lambda: shelf.issued(BEN, takes=last))
    assert shelf.store.find(new(BEN).code) is None
    assert list(shelf.store.taken("p", 2)) == [1, 0]


def test_a_code_of_somebody_elses_is_no_room(shelf: Shelf) -> None:
    taken = shelf.issued()
    refused("pool_empty", lambda: shelf.store.issue(Reservation(coupon=replace(new(BEN), code=taken.code))))
    assert shelf.store.find(taken.code) == taken


def test_it_is_redeemed_once_and_counted(shelf: Shelf) -> None:
    coupon = shelf.issued()
    uses = [replace(entry, orders={"o-1": 5}) for entry in shelf.store.uses([("device", "d")])]
    shelf.store.redeem(coupon, order_id="o-1", discount_cents=300, now=NOON, uses=uses)
    done = shelf.of(coupon)
    assert (done.state, done.order_id, done.discount_cents, done.redeemed_at) == (CouponState.REDEEMED, "o-1", 300, NOON)
    refused("coupon_changed", lambda: shelf.store.redeem(coupon, order_id="o-2", discount_cents=1, now=NOON, uses=[]))
    assert dict(shelf.store.counts("flash")) == {"redeemed": 1, "discount_cents": 300}
    assert shelf.store.uses([("device", "d"), ("device", "e")]) == [
        Uses(check="device", hash="d", version=1, orders={"o-1": 5}),
        Uses(check="device", hash="e"),
    ]


def test_uses_that_changed_meanwhile_stop_it(shelf: Shelf) -> None:
    mine, hers = shelf.issued(), shelf.issued(BEN)
    seen = shelf.store.uses([("device", "d")])
    shelf.store.redeem(mine, order_id="o-1", discount_cents=1, now=NOON, uses=seen)
    refused("uses_changed", lambda: shelf.store.redeem(hers, order_id="o-2", discount_cents=1, now=NOON, uses=seen))
    assert shelf.of(hers) == hers


def test_an_undone_order_makes_it_good_again(shelf: Shelf) -> None:
    coupon = shelf.issued(takes=(piece(),))
    shelf.store.redeem(coupon, order_id="o-1", discount_cents=300, now=NOON, uses=[])
    redeemed = shelf.of(coupon)
    shelf.store.undo(redeemed, to=CouponState.ISSUED, now=NOON)
    assert shelf.of(coupon) == replace(coupon, returned_order="o-1")
    refused("coupon_changed", lambda: shelf.store.undo(redeemed, to=CouponState.EXPIRED, now=NOON))
    assert list(shelf.store.taken("p", 1)) == [1]
    assert {name: count for name, count in shelf.store.counts("flash").items() if count} == {"returned": 1}


def test_undone_after_its_end_it_gives_back_its_piece(shelf: Shelf) -> None:
    coupon = shelf.issued(takes=(piece(),))
    shelf.store.redeem(coupon, order_id="o-1", discount_cents=300, now=NOON, uses=[])
    assert shelf.store.expire([shelf.of(coupon), coupon], ENDS) == 0
    shelf.store.undo(shelf.of(coupon), to=CouponState.EXPIRED, now=ENDS)
    assert shelf.of(coupon).state is CouponState.EXPIRED
    assert list(shelf.store.taken("p", 1)) == [0]


def test_expiry_gives_back_once_and_leaves_out_what_was_used(shelf: Shelf) -> None:
    stock = (piece(limit=9), piece("money", amount=1_000, limit=9_000))
    coupons = [shelf.issued(f"user:{n}", takes=stock) for n in range(4)]
    shelf.store.redeem(coupons[2], order_id="o-1", discount_cents=1, now=NOON, uses=[])
    assert shelf.store.expire(coupons, ENDS) == 3
    assert shelf.store.expire(coupons, ENDS) == 0
    assert [shelf.of(coupon).state for coupon in coupons] == ["EXPIRED", "EXPIRED", "REDEEMED", "EXPIRED"]
    assert (list(shelf.store.taken("p", 1)), list(shelf.store.taken("money", 1))) == ([1], [1_000])
    assert shelf.store.counts("flash")["expired"] == 3


def test_pieces_in_more_places_than_one_transaction_takes_go_back_all_the_same(shelf: Shelf) -> None:
    pools = ("stock", "day", "month", "campaign")
    coupons = [shelf.issued(f"user:{n}", takes=tuple(piece(pool, shard=n) for pool in pools)) for n in range(21)]
    assert shelf.store.expire(coupons, NOON) == 21
    assert all(sum(shelf.store.taken(pool, 21)) == 0 for pool in pools)
    assert (shelf.store.expire(coupons, NOON), shelf.store.counts("flash")["expired"]) == (0, 21)


def test_what_ends_in_an_hour_is_read_page_by_page(shelf: Shelf) -> None:
    coupons = [shelf.issued(f"user:{n}") for n in range(70)]
    lane = place_of(coupons[0].code)[1]
    wanted = sorted(coupon.code for coupon in coupons if place_of(coupon.code) == (LANE_HOUR, lane))
    found, cursor = [], ""
    while True:
        page, cursor = shelf.store.ending(LANE_HOUR, lane, 1, cursor)
        found += [coupon.code for coupon in page]
        if not cursor:
            break
    assert found == wanted
    assert shelf.store.ending(LANE_HOUR + 1, lane, 10) == ([], "")


def test_marks_only_rise_and_pools_are_split_once(shelf: Shelf) -> None:
    assert shelf.store.mark("expired", 3) is None
    shelf.store.advance("expired", 3, 10)
    shelf.store.advance("expired", 3, 9)
    assert (shelf.store.mark("expired", 3), shelf.store.mark("reminded", 3)) == (10, None)
    assert shelf.store.shards("p") is None
    assert (shelf.store.split("p", 7), shelf.store.split("p", 9), shelf.store.shards("p")) == (7, 7, 7)


def test_refusals_are_counted(shelf: Shelf) -> None:
    shelf.store.count("flash", 1, "device_limit")
    shelf.store.count("flash", 9, "device_limit")
    assert shelf.store.counts("flash") == {"device_limit": 2}
    assert shelf.store.counts("other") == {}


def test_an_erased_shopper_leaves_nothing_and_gives_back_what_she_did_not_use(shelf: Shelf) -> None:
    used, unused = shelf.issued(takes=(piece(limit=2),)), shelf.issued(offer="other", takes=(piece(limit=2),))
    shelf.store.redeem(used, order_id="o-1", discount_cents=1, now=NOON, uses=[])
    assert shelf.store.forget(ANN) == 2
    assert list(shelf.store.coupons(ANN)) == []
    assert shelf.store.find(used.code) is None
    assert shelf.store.find(unused.code) is None
    assert list(shelf.store.taken("p", 1)) == [1]
    assert shelf.store.forget(ANN) == 0


class Claimed:
    """A message that took a coupon, of a shopper who can be reached."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.plan = message()
        assert shelf.ledger.record(self.plan)
        shelf.contacts.update(self.plan.shopper, now=NOON, addresses={"email": "a@example.com"}, consent={"email": True})
        self.coupon = new(self.plan.shopper, takes=(piece(limit=3),))
        self.reservation = Reservation(coupon=self.coupon, spends=(piece("money", amount=7, limit=9),))

    @property
    def contact(self) -> Contact:
        return self.shelf.contacts.load(self.plan.shopper)

    def claim(self) -> None:
        self.shelf.ledger.claim(
            self.plan,
            self.contact,
            token="t1",
            now=NOON,
            lease_until=NOON + HOUR,
            takes_slot=True,
            keep_slots_since=NOON - DAY,
            reservation=self.reservation,
        )

    def fail(self) -> None:
        self.shelf.ledger.finish(
            self.plan,
            token="t1",
            state=State.FAILED,
            reason="refused",
            now=NOON,
            gives_slot_back=True,
            returns=self.reservation,
        )

    def left(self) -> tuple[int, int]:
        return self.shelf.store.taken("p", 1)[0], self.shelf.store.taken("money", 1)[0]


def test_a_message_takes_its_coupon_and_gives_it_back_once(shelf: Shelf) -> None:
    claimed = Claimed(shelf)
    claimed.claim()
    assert shelf.store.find(claimed.coupon.code) == claimed.coupon
    assert claimed.left() == (1, 7)
    claimed.fail()
    claimed.fail()
    assert shelf.store.find(claimed.coupon.code) is None
    assert claimed.left() == (0, 0)
    assert claimed.contact.slots == ()


def test_nothing_is_taken_by_a_claim_that_finds_a_pool_empty(shelf: Shelf) -> None:
    claimed = Claimed(shelf)
    claimed.reservation = replace(claimed.reservation, spends=(piece("money", amount=10, limit=9),))
    refused("pool_empty", claimed.claim)
    assert (claimed.left(), shelf.store.find(claimed.coupon.code), claimed.contact.slots) == ((0, 0), None, ())


def test_a_coupon_that_ended_while_its_message_was_claimed_is_not_given_back_twice(shelf: Shelf) -> None:
    claimed = Claimed(shelf)
    claimed.claim()
    assert shelf.store.expire([claimed.coupon], ENDS) == 1
    claimed.fail()
    assert claimed.left() == (0, 0)


def test_nor_is_one_that_was_erased(shelf: Shelf) -> None:
    claimed = Claimed(shelf)
    claimed.claim()
    assert shelf.store.forget(claimed.plan.shopper) == 1
    claimed.fail()
    assert claimed.left() == (0, 0)
    assert claimed.contact.slots == ()


def test_the_whole_life_of_a_claimed_coupon(shelf: Shelf) -> None:
    """The same story on every store: claim, redeem, undo, end; and the numbers that the operator sees."""
    market = Market(shelf.store, settings(sweep={"look_back_hours": 2}))
    coupon = market.claiming.claim(ANN, "first_100")
    assert market.claiming.claim(ANN, "first_100") == coupon
    told = market.redeeming.redeem(coupon.code, basket(device="d-1", address="1 High St"))
    assert told["discount_cents"] == 6_000
    assert market.redeeming.redeem(coupon.code, basket(device="d-1")) == told
    market.redeeming.take_back(coupon.code, "o-1")
    assert market.standing("first_100")["taken"] == 1
    market.sweep()
    market.pass_(days=3, minutes=11)
    assert market.sweep()["expired"] == 1
    assert market.sweep()["expired"] == 0
    standing = market.standing("first_100")
    assert (standing["taken"], standing["redeemed"], standing["returned"], standing["expired"]) == (0, 0, 1, 1)


@pytest.fixture
def table(create_table: Callable[[str, bool], None]) -> str:
    create_table("offers", True)
    return "offers"


def test_a_coupon_of_once_in_a_lifetime_is_never_forgotten_by_the_table(table: str) -> None:
    from regulars.adapters.dynamodb import keys
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.transactions import get

    once, yearly = new(), replace(new(BEN), edition="2026")
    for coupon in (once, yearly):
        DynamoOffers(table).issue(Reservation(coupon=coupon))
    assert "expires_at" not in (get(table, keys.coupon(*once.key)) or {})
    assert "expires_at" in (get(table, keys.coupon(*yearly.key)) or {})


def test_erasing_a_coupon_that_changed_meanwhile_asks_with_another_token(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses a token that comes with another payload (IdempotentParameterMismatch); moto does not."""
    from regulars.adapters.dynamodb import offers
    from regulars.adapters.dynamodb.transactions import transact

    store = offers.DynamoOffers(table)
    tokens: list[str] = []
    store.issue(Reservation(coupon=new(takes=(piece(),))))

    def racing(entries: Sequence[tuple[str, Any]], *, token: str) -> None:
        monkeypatch.setattr(offers, "transact", recording)
        store.expire(store.coupons(ANN), NOON)
        tokens.clear()
        recording(entries, token=token)

    def recording(entries: Sequence[tuple[str, Any]], *, token: str) -> None:
        tokens.append(token)
        transact(entries, token=token)

    monkeypatch.setattr(offers, "transact", racing)
    assert store.forget(ANN) == 1
    assert len(tokens) == len(set(tokens)) == 2
    assert list(store.taken("p", 1)) == [0]
