"""Codes: unguessable, readable, and mistyping is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.offers import ANN, NOON, SECRET

from regulars.errors import Invalid
from regulars.offers.codes import ALPHABET, LANES, Codes, full_hour, hour_of, parse, place_of, shown

CODES = Codes(SECRET)
texts = st.text(max_size=20)


def test_the_same_gives_the_same_and_anything_else_another() -> None:
    code = CODES.make(ANN, "flash", "2026", NOON)
    assert code == CODES.make(ANN, "flash", "2026", NOON)
    others = {
        CODES.make("user:ben", "flash", "2026", NOON),
        CODES.make(ANN, "other", "2026", NOON),
        CODES.make(ANN, "flash", "2027", NOON),
        CODES.make(ANN, "flash", "2026", NOON + timedelta(hours=1)),
        CODES.make(ANN, "flash", "2026", NOON, salt=1),
        Codes(b"another secret of sixteen").make(ANN, "flash", "2026", NOON),
    }
    assert len(others | {code}) == 7


def test_a_code_stays_the_same_for_years() -> None:
    """A coupon in somebody's mail must be found after any renaming of ours."""
    assert shown(CODES.make(ANN, "first_100", "", datetime(2026, 7, 4, 12, tzinfo=UTC))) == "F3PW5-N8FCP-SGS1R"


@given(texts, texts, st.integers(0, 54 * 365 * 86_400).map(lambda seconds: NOON + timedelta(seconds=seconds)))
def test_it_names_its_hour_and_is_read_however_it_is_typed(shopper: str, offer: str, at: datetime) -> None:
    ends = full_hour(at)
    code = CODES.make(shopper, offer, "", ends)
    hour, lane = place_of(code)
    assert (hour, ends - timedelta(hours=1) < at <= ends) == (hour_of(ends), True)
    assert 0 <= lane < LANES
    spoken = shown(code).lower().replace("1", "l").replace("0", "o").replace("-", " - ")
    assert parse(spoken) == parse(code) == code


@given(texts, st.integers(0, 14), st.sampled_from(ALPHABET))
def test_every_single_mistyped_character_is_told(shopper: str, place: int, character: str) -> None:
    code = CODES.make(shopper, "flash", "", NOON)
    wrong = code[:place] + character + code[place + 1 :]
    if wrong != code:
        with pytest.raises(Invalid, match="mistyped"):
            parse(wrong)


@given(texts, st.integers(0, 13))
def test_swapped_neighbours_are_told_but_for_one_pair(shopper: str, place: int) -> None:
    code = CODES.make(shopper, "flash", "", NOON)
    pair = code[place : place + 2]
    if pair[0] != pair[1] and set(pair) != {"0", "Z"}:
        with pytest.raises(Invalid):
            parse(code[:place] + pair[::-1] + code[place + 2 :])


@pytest.mark.parametrize("text", ["", "F3PW5", "F3PW5-N8FCP-SGS1R9", "U3PW5-N8FCP-SGS1R", "F3PW5-N8FCP-SGS1é", "用户" * 8])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(text)
    assert raised.value.code == "bad_code"


def test_lanes_are_even() -> None:
    lanes = [place_of(CODES.make(f"user:{n}", "flash", "", NOON))[1] for n in range(6_400)]
    assert all(120 < lanes.count(lane) < 290 for lane in range(LANES))


def test_devices_and_addresses_are_hidden_and_spelling_does_not_matter() -> None:
    concealed = CODES.conceal("address", "1 High Street, London")
    assert concealed == CODES.conceal("address", "1 high  street  LONDON.")
    assert concealed != CODES.conceal("device", "1 High Street, London")
    assert concealed != CODES.conceal("address", "2 High Street, London")
    assert "high" not in concealed
