"""Why an item is shown, in the shopper's language. Titles and figures are filled in; a code without a text is a defect
that a test finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from regulars.recommendations.model import Candidate, Reason

LANGUAGES = ("en", "zh")
TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "because_bought": "Because you bought {title}",
        "because_in_cart": "Because {title} is in your cart",
        "because_saved": "Because you saved {title}",
        "because_viewed": "Because you looked at {title}",
        "bought_before": "You bought this before",
        "related": "Related to {title}",
        "goes_with": "Goes with {title}",
        "goes_with_cart": "Goes with {title} in your cart",
        "similar_to": "Similar to {title}",
        "other_variant": "Another version of {title}",
        "instead_of_sold_out": "Instead of {title}, which is sold out",
        "in_cart": "Still in your cart",
        "in_cart_discounted": "Still in your cart, now {discount}% off",
        "saved": "You saved this",
        "saved_discounted": "You saved this, now {discount}% off",
        "viewed": "You looked at this",
        "viewed_discounted": "You looked at this, now {discount}% off",
        "viewed_goes_with": "You looked at this lately; it goes with {title}",
        "new_of_brand": "New from {brand}",
        "due_again": "You buy this about every {gap_days} days",
        "due_soon": "You bought this on {last}",
        "companion_of": "Goes with {title}, which you buy regularly",
        "closes_gap": "Adds the {gap} that saves you {save}",
        "closes_gap_with": "With {others} adds the {gap} that saves you {save}",
        "helps_close_gap": "Brings you closer to saving {save}",
        "for_members": "For our members only",
        "new_for_members": "New, and shown to our members first",
        "high_end": "Among the finest in {category}",
        "bundle": "A bundle from our range",
        "bundle_with": "Together with {title} for {bundle_price}",
        "wake_up": "{discount}% off in {category}, which you like",
        "new_since": "New in {category} since you were here",
        "reduced": "Now {discount}% off",
        "picked_for_you": "Picked for you",
        "in_list": "On our list “{list}”",
        "popular": "Popular right now",
        "popular_in_region": "Popular in {country}",
        "popular_in_category": "Popular in {category}",
        "popular_on_device": "Popular on devices like yours",
        "popular_now": "Popular at this time of day",
        "because_interest": "Because you like {interest}",
        "new_like": "New, and like {title}",
        "new_in_category": "New in {category}",
        "new_arrival": "New in the shop",
        "in_catalogue": "From our range",
        "featured": "Picked by the shop",
    },
    "zh": {
        "because_bought": "因为您购买过{title}",
        "because_in_cart": "因为{title}在您的购物车中",
        "because_saved": "因为您收藏了{title}",
        "because_viewed": "因为您浏览过{title}",
        "bought_before": "您购买过此商品",
        "related": "与{title}相关",
        "goes_with": "与{title}搭配",
        "goes_with_cart": "与购物车中的{title}搭配",
        "similar_to": "与{title}相似",
        "other_variant": "{title}的其他款式",
        "instead_of_sold_out": "{title}已售罄，可选此款",
        "in_cart": "仍在您的购物车中",
        "in_cart_discounted": "仍在您的购物车中，现优惠{discount}%",
        "saved": "您收藏的商品",
        "saved_discounted": "您收藏的商品，现优惠{discount}%",
        "viewed": "您浏览过的商品",
        "viewed_discounted": "您浏览过的商品，现优惠{discount}%",
        "viewed_goes_with": "您最近浏览过，与{title}搭配",
        "new_of_brand": "{brand}新品",
        "due_again": "您大约每{gap_days}天购买一次",
        "due_soon": "您于{last}购买过",
        "companion_of": "与您常购的{title}搭配",
        "closes_gap": "再加{gap}即可省{save}",
        "closes_gap_with": "与{others}一起凑足{gap}即可省{save}",
        "helps_close_gap": "离省{save}更近一步",
        "for_members": "会员专享",
        "new_for_members": "新品，会员优先",
        "high_end": "{category}类中的精品",
        "bundle": "本店套装",
        "bundle_with": "与{title}同购仅需{bundle_price}",
        "wake_up": "优惠{discount}%，来自您喜欢的{category}类",
        "new_since": "您离开期间{category}类上新",
        "reduced": "现优惠{discount}%",
        "picked_for_you": "为您精选",
        "in_list": "入选本店榜单《{list}》",
        "popular": "当前热销",
        "popular_in_region": "{country}热销",
        "popular_in_category": "{category}类热销",
        "popular_on_device": "您所用设备上的热销",
        "popular_now": "此时段热销",
        "because_interest": "因为您喜欢{interest}",
        "new_like": "新品，与{title}相似",
        "new_in_category": "{category}类新品",
        "new_arrival": "新品上架",
        "in_catalogue": "本店商品",
        "featured": "店铺精选",
    },
}


def reason_for(candidate: Candidate, language: str, titles: Sequence[str], discount_percent: int) -> Reason:
    """The reason of a candidate; `titles` are those of `because`: "" where one has left the catalogue, and its id stands in."""
    details, text = candidate.details, TEXTS[language][candidate.code]
    around = _around_title(text)
    if around and titles and not details:
        return Reason(candidate.code, f"{around[0]}{titles[0] or candidate.because[0]}{around[1]}", candidate.because)
    if "{" not in text:
        return Reason(candidate.code, text, candidate.because)
    named = [title or item_id for title, item_id in zip(titles, candidate.because, strict=True)]
    fields: dict[str, Any] = {"title": named[0] if named else "", "discount": discount_percent, **details}
    fields["others"] = {"zh": "、"}.get(language, " and ").join(named)
    if "titles" in details:
        fields["list"] = details["titles"].get(language) or next(iter(details["titles"].values()))
    if "bundle_cents" in details:
        fields["bundle_price"] = money(details["bundle_cents"], details["currency"])
    if "gap_cents" in details:
        fields["gap"] = money(details["gap_cents"], details["currency"])
        fields["save"] = money(details["save_cents"], details["currency"])
    return Reason(candidate.code, text.format_map(fields), candidate.because)


@cache
def _around_title(text: str) -> tuple[str, str] | None:
    """What stands before and after the title, where the text has nothing else to fill in: so have most."""
    before, found, after = text.partition("{title}")
    return (before, after) if found and not set("{}").intersection(before + after) else None


def money(cents: int, currency: str) -> str:
    """`12.50 GBP`."""
    return f"{cents // 100}.{cents % 100:02d} {currency}"


def language_of(*wishes: Any) -> str:
    """The first wish (`zh-CN`, `en_GB`) whose language there is, else English."""
    for wish in wishes:
        if isinstance(wish, str):
            short = wish.replace("_", "-").partition("-")[0].lower()
            if short in LANGUAGES:
                return short
    return LANGUAGES[0]
