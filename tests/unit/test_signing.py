"""Tokens: what we did not sign for this very use, nobody gets in with."""

from __future__ import annotations

import base64
import random
from datetime import timedelta

import pytest
from tests.support.sending import SECRET, Hand

from regulars.errors import Misconfigured, Unauthorised
from regulars.signing import Keys, Purpose, Signer

DAY = timedelta(days=1)
PARTS = ("user:ann", "cart_abandoned#1", "email")


def signer(secret: str = SECRET, clock: Hand | None = None) -> Signer:
    return Signer(Keys.parse(secret), clock or Hand())


def token(purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
    return signer().sign(purpose, *PARTS, lifetime=DAY)


def test_what_is_signed_is_read_again() -> None:
    assert signer().read(Purpose.UNSUBSCRIBE, token()) == PARTS
    assert signer().read(Purpose.CLICK, signer().sign(Purpose.CLICK, "用户:1", "", lifetime=DAY)) == ("用户:1", "")


def test_a_token_is_fit_for_a_link() -> None:
    assert set(token()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("made_for", list(Purpose))
def test_a_token_is_good_for_one_purpose_only(made_for: Purpose) -> None:
    for wanted in Purpose:
        if wanted is made_for:
            assert signer().read(wanted, token(made_for)) == PARTS
        else:
            with pytest.raises(Unauthorised):
                signer().read(wanted, token(made_for))


def test_a_token_runs_out() -> None:
    clock = Hand()
    made = signer(clock=clock).sign(Purpose.SHOPPER, "user:ann", lifetime=DAY)
    clock.pass_(hours=23, minutes=59)
    assert signer(clock=clock).shopper(made) == "user:ann"
    clock.pass_(minutes=1)
    with pytest.raises(Unauthorised) as error:
        signer(clock=clock).shopper(made)
    assert error.value.code == "expired_token"


def forgeries() -> list[str]:
    """At least 200 ways to be wrong: every character changed, cut, lengthened, re-spelt, other keys, other heads, noise."""
    good = token()
    raw = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
    spell = base64.urlsafe_b64encode
    changed = [good[:n] + ("A" if good[n] != "A" else "B") + good[n + 1 :] for n in range(len(good))]
    cut = [good[:n] for n in range(len(good))]
    bits = [spell(raw[:n] + bytes((raw[n] ^ 1,)) + raw[n + 1 :]).decode().rstrip("=") for n in range(len(raw))]
    respelt = [good + "=", good + "==", good + "A", good + "\n", " " + good, good + "!", good.replace("_", "/") + "/"]
    other_key = [signer("o" * 48).sign(Purpose.UNSUBSCRIBE, *PARTS, lifetime=DAY)]
    no_mac = [spell(raw[:-16] + bytes(16)).decode().rstrip("="), spell(raw[:-16]).decode().rstrip("=")]
    noise = random.Random(4)
    random_ones = [spell(noise.randbytes(noise.randrange(1, 90))).decode().rstrip("=") for _ in range(60)]
    strange = ["", ".", "é", "用户", "\x00", "a.b.c", "eyJhbGciOiJub25lIn0.e30."]
    return changed + cut + bits + respelt + other_key + no_mac + random_ones + strange


def test_forged_tokens_are_refused() -> None:
    every = [forged for forged in forgeries() if forged != token()]
    assert len(every) >= 200
    for forged in every:
        with pytest.raises(Unauthorised):
            signer().read(Purpose.UNSUBSCRIBE, forged)


def test_keys_are_rotated_without_losing_what_was_signed() -> None:
    old = signer(f'{{"current": 1, "keys": {{"1": "{SECRET}"}}}}')
    both = signer(f'{{"current": 2, "keys": {{"1": "{SECRET}", "2": "{"n" * 48}"}}}}')
    only_new = signer(f'{{"current": 2, "keys": {{"2": "{"n" * 48}"}}}}')
    made = old.sign(Purpose.CLICK, "x", lifetime=DAY)
    assert both.read(Purpose.CLICK, made) == ("x",)
    assert only_new.read(Purpose.CLICK, both.sign(Purpose.CLICK, "y", lifetime=DAY)) == ("y",)
    with pytest.raises(Unauthorised):
        only_new.read(Purpose.CLICK, made)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "{",
        "{}",
        '{"current": 1}',
        '{"current": 2, "keys": {"1": "ssssssssssssssss"}}',
        '{"current": 1, "keys": 3}',
    ],
)
def test_a_bad_secret_is_named_but_never_shown(secret: str) -> None:
    with pytest.raises(Misconfigured) as error:
        Keys.parse(secret)
    assert "sssss" not in error.value.reason


def test_a_part_may_not_hold_the_separator() -> None:
    with pytest.raises(ValueError, match="U\\+001F"):
        signer().sign(Purpose.CLICK, "a\x1fb", lifetime=DAY)


def test_no_bearer_token_is_said_so() -> None:
    with pytest.raises(Unauthorised) as error:
        signer().shopper("")
    assert error.value.code == "no_token"


def test_a_generated_secret_may_begin_with_a_brace() -> None:
    secret = "{ceUE-" + "s" * 58
    assert Keys.parse(secret).secrets == {1: secret.encode()}
