"""Every planted bug still fits the product, and some of them are tried; `make mutants` tries them all."""

from __future__ import annotations

from tests.mutants.__main__ import run
from tests.mutants.mutant import ROOT
from tests.mutants.planted import MUTANTS

TRIED = (
    "UNKNOWN sent again",
    "lease ignored",
    "version condition of the claim dropped (memory)",
    "any topic",
    "weekday in UTC",
    "events counted twice",
)


def test_every_bug_fits_where_it_is_to_be_planted() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 24
    assert [f"{mutant.name}: {mutant.fits()}" for mutant in MUTANTS if mutant.fits()] == []


def test_every_test_that_is_to_catch_one_is_there() -> None:
    files = {test.partition("::")[0] for mutant in MUTANTS for test in mutant.tests}
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []


def test_planted_bugs_are_caught() -> None:
    chosen = [mutant for mutant in MUTANTS if mutant.name in TRIED]
    assert len(chosen) == len(TRIED)
    assert {result.mutant.name: result.verdict for result in run(chosen, 2)} == dict.fromkeys(
        [mutant.name for mutant in chosen], "caught"
    )
