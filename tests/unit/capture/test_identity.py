"""Anonymous history joins the shopper, once, and late anonymous events find her."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.shoppers import DAY, HOUR, MINUTE, NOON, SHE, Shop, event, identify, order, same, unit

from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.capture.model import Event
from regulars.profiles.record import Record

GUEST = "anon:a1"
LOGIN = NOON + HOUR


def alias(at: datetime = LOGIN) -> Event:
    return event("", at, type="alias", properties={}, previous_id="a1")


@pytest.mark.parametrize(
    "login", [alias(), identify({"style": "x"}, LOGIN, anonymous_id="a1"), event(at=LOGIN, anonymous_id="a1")]
)
def test_whatever_names_both_ids_joins_the_history(login: Event) -> None:
    shop = Shop()
    shop.capture(unit([event(shopper=GUEST), order("o1", NOON + MINUTE, shopper=GUEST)]))
    assert shop.capture(unit([login])).joined == 1
    shop.now = LOGIN
    profile = shop.profile()
    assert [entry.order_id for entry in profile.orders] == ["o1"]
    assert profile.first_seen_at == NOON
    assert "preference/category/home-mugs" in profile.tags
    assert profile.aliases == {GUEST}
    assert shop.profile(GUEST) == profile


def test_a_late_anonymous_event_lands_on_the_shopper() -> None:
    shop = Shop()
    shop.capture(unit([alias()]))
    late = event("Product Added", LOGIN + MINUTE, shopper=GUEST)
    shop.capture(unit([late]))
    assert set(shop.profile().cart) == {"mug"}
    assert late.message_id in shop.logged()
    assert not shop.logged(GUEST)


def test_joined_history_is_as_if_it_had_been_hers_from_the_start() -> None:
    deeds = [event(at=NOON + n * DAY, shopper=GUEST) for n in range(5)]
    deeds += [event("Product Added", NOON + 6 * DAY, shopper=GUEST), order("o1", NOON + 2 * DAY, shopper=GUEST)]
    hers, joined = Shop(now=NOON + 9 * DAY), Shop(now=NOON + 9 * DAY)
    for deed in deeds:
        hers.capture(unit([event(deed.name, deed.at, properties=deed.properties)]))
        joined.capture(unit([deed]))
    for shop in (hers, joined):
        shop.capture(unit([event("Products Searched", NOON + 3 * DAY)]))
        shop.capture(unit([alias(NOON + 7 * DAY)]))
    assert same(joined.profile(), hers.profile())


def test_a_guests_order_empties_the_cart_of_her_other_device() -> None:
    shop = Shop()
    shop.capture(unit([event("Product Added")]))
    shop.capture(unit([order("o1", NOON + MINUTE, shopper=GUEST)]))
    shop.capture(unit([alias()]))
    assert not shop.profile().cart


def test_a_repeat_of_a_joined_event_is_still_known() -> None:
    shop = Shop()
    deed = unit([event(shopper=GUEST)])
    shop.capture(deed)
    shop.capture(unit([alias()]))
    before = shop.profile()
    assert shop.capture(deed).again == 1
    assert shop.profile() == before
    assert not shop.logged().count(event(shopper=GUEST).message_id)
    assert shop.capture(unit([event(shopper=GUEST)], LOGIN + DAY)).repeated == 1


def test_a_device_that_was_anothers_stays_the_others() -> None:
    shop = Shop()
    shop.capture(unit([event(shopper=GUEST)]))
    shop.capture(unit([event(at=LOGIN, anonymous_id="a1", shopper="user:first")]))
    outcome = shop.capture(unit([event(at=LOGIN + HOUR, anonymous_id="a1", shopper="user:second")]))
    assert outcome.joined == 0
    shop.contacts.update(GUEST, now=NOON, addresses={"sms": "+441632960000"})
    assert shop.capture(unit([event(at=LOGIN + HOUR, anonymous_id="a1", shopper="user:second")])).again == 1
    assert not shop.contacts.load("user:second").addresses
    assert shop.profile("user:second").aliases == frozenset()
    assert shop.profile(GUEST).shopper == "user:first"


def test_a_known_device_is_not_looked_up_again() -> None:
    class Counting(MemoryProfiles):
        loads = 0

        def load(self, shopper: str) -> Record:
            self.loads += 1
            return super().load(shopper)

    profiles = Counting()
    shop = Shop(profiles=profiles)
    shop.capture(unit([event(anonymous_id="a1")]))
    profiles.loads = 0
    shop.capture(unit([event(at=LOGIN, anonymous_id="a1")]))
    assert profiles.loads - 1 == 1  # save looks at the version once


def test_addresses_consent_and_details_go_to_the_contacts_and_not_to_the_profile() -> None:
    shop = Shop()
    traits = {
        "email": "a@b.example",
        "phone": "+441632960000",
        "firstName": "Ada",
        "birthday": "1990-03-02",
        "gender": "female",
        "consent": {"email": True, "sms": False},
        "address": {"country": "GB", "street": "1 Elm"},
        "interests": ["Home / Mugs"],
    }
    context = {"timezone": "Europe/London", "locale": "en-GB", "device": {"token": "t0"}}
    shop.capture(unit([identify(traits, context=context)]))
    contact, profile = shop.contacts.load(SHE), shop.profile()
    assert contact.addresses == {"email": "a@b.example", "sms": "+441632960000", "push": "t0"}
    assert contact.consent == {"email": True, "sms": False}
    assert (contact.name, contact.time_zone, contact.language, contact.country) == ("Ada", "Europe/London", "en-GB", "GB")
    assert profile.traits == {"birthday": "1990-03-02", "gender": "female", "country": "GB", "interests": ["Home / Mugs"]}
    assert {"base/age/35-44", "base/gender/female", "base/region/gb", "preference/category/home-mugs"} <= set(profile.tags)
    assert "b.example" not in repr(shop.profiles.load(SHE))


def test_the_maker_of_the_telephone_is_learnt_with_its_push_token() -> None:
    shop = Shop()
    device = {"token": "t0", "manufacturer": " HUAWEI "}
    shop.capture(unit([identify({}, context={"device": device})]))
    assert shop.contacts.load(SHE).push_vendor == "huawei"
    shop.capture(unit([identify({}, LOGIN, context={"device": {"manufacturer": "Xiaomi"}})]))
    assert shop.contacts.load(SHE).push_vendor == "huawei"  # without a token it is about no telephone that is pushed to
    shop.capture(unit([identify({}, LOGIN + HOUR, context={"device": {"token": "t1", "manufacturer": "Redmi"}})]))
    assert (shop.contacts.load(SHE).push_vendor, shop.contacts.load(SHE).addresses["push"]) == ("redmi", "t1")


def test_contacts_hear_only_news_and_a_late_word_does_not_overrule() -> None:
    shop = Shop()
    shop.capture(unit([identify({"email": "new@b.example", "consent": {"email": True}}, LOGIN)]))
    version = shop.contacts.load(SHE).version
    shop.capture(unit([identify({"email": "new@b.example", "consent": {"email": True}}, LOGIN + HOUR)]))
    shop.capture(unit([identify({"email": "old@b.example", "consent": {"email": False}}, NOON)], LOGIN + DAY))
    contact = shop.contacts.load(SHE)
    assert contact.version == version
    assert contact.addresses == {"email": "new@b.example"}
    assert contact.consent == {"email": True}


def test_a_refusal_is_heard_again_and_a_repeated_yes_does_not_undo_another_word() -> None:
    shop = Shop()
    shop.capture(unit([identify({"consent": {"email": False, "sms": True}}, NOON)]))
    shop.contacts.update(SHE, now=NOON + HOUR, consent={"email": True, "sms": False})  # on the preferences page
    shop.now = NOON + 3 * HOUR
    shop.capture(unit([identify({"consent": {"email": False, "sms": True}}, NOON + 2 * HOUR)], shop.now))
    assert shop.contacts.load(SHE).consent == {"email": False, "sms": False}


def test_a_refusal_at_every_start_of_the_app_is_one_refusal() -> None:
    shop = Shop()
    for n in range(31):
        shop.now = NOON + n * HOUR
        shop.capture(unit([identify({"consent": {"email": False, "sms": False}}, shop.now)], shop.now))
    assert (shop.contacts.load(SHE).version, len(shop.contacts.proofs)) == (1, 2)
    shop.contacts.update(SHE, now=shop.now, consent={"email": True}, consent_at={"email": shop.now - HOUR})
    assert shop.contacts.load(SHE).consent == {"email": False, "sms": False}


@pytest.mark.parametrize("words", [(True, False), (False, True)])
def test_of_a_yes_and_a_no_at_the_same_instant_the_no_stands(words: tuple[bool, bool]) -> None:
    shop = Shop()
    shop.capture(unit([identify({"consent": {"email": word}, "n": n}, NOON) for n, word in enumerate(words)]))
    assert shop.contacts.load(SHE).consent == {"email": False}


def test_traits_keep_the_later_word_in_any_order() -> None:
    words = [identify({"gender": "x"}, NOON), identify({"gender": "y", "plan": "b"}, LOGIN), identify({"plan": "a"}, NOON)]
    for turned in (words, words[::-1]):
        shop = Shop()
        for word in turned:
            shop.capture(unit([word]))
        assert shop.profile().traits == {"gender": "y", "plan": "b"}


def test_twenty_devices_join_in_one_unit() -> None:
    shop = Shop()
    for n in range(25):
        shop.capture(unit([event(at=NOON + n * MINUTE, shopper=f"anon:d{n}")]))
    everywhere = [event(at=LOGIN + n * MINUTE, anonymous_id=f"d{n}") for n in range(25)]
    assert shop.capture(unit(everywhere)).joined == 20
    assert shop.capture(unit([event(at=LOGIN + DAY, anonymous_id="d24")])).joined == 1
    shop.now = datetime(2026, 3, 4, tzinfo=UTC)
    assert len(shop.profile().aliases) == 21
