"""`regulars evaluate` from a file to its figures, and what it says of files it cannot use."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from regulars.similarity.interactions import CART, PURCHASE, VIEW, WISHLIST
from regulars_ops.logs import kind_of, log_of
from regulars_ops.main import main
from regulars_ops.tables import read_table


def written(folder: Path, rows: list[tuple[object, ...]], head: str = "user,item,ts") -> Path:
    file = folder / "log.csv"
    file.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return file


def chains(shoppers: int = 260, seed: int = 4) -> list[tuple[object, ...]]:
    """Everybody walks round one of six rings of five items: what comes next is what lies next."""
    dice, rows = random.Random(seed), []
    for shopper in range(shoppers):
        ring, place = dice.randrange(6), dice.randrange(5)
        for step in range(5):
            day = 1 + dice.randrange(2) + 3 * step
            rows.append((f"shopper {shopper}", f"🎁 {ring}-{(place + step) % 5}", f"2026-03-{day:02d}"))
    return rows


def test_it_learns_chooses_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, chains())
    lists = tmp_path / "lists.csv"
    assert main(["evaluate", str(file), "--protocol", "last-one", "--json", "--export", str(lists)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["queries"] == 260
    assert said["ndcg@10"] > 0.95
    assert set(said) >= {"recall@20", "hit_rate@10", "mrr@20", "coverage@10", "fit_seconds", "peak_megabytes", "chosen"}
    assert said["chosen"]["validation"]["questions"] == 260
    assert said["chosen"]["recipe"]["parts"]
    assert said["hit_rate@10"] == pytest.approx(recomputed(file, lists))


def recomputed(file: Path, lists: Path) -> float:
    """HitRate@10 by nothing but the two files."""
    last: dict[str, tuple[str, str]] = defaultdict(lambda: ("", ""))
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["ts"] >= last[row["user"]][0]:
                last[row["user"]] = (row["ts"], row["item"])
    hits = set()
    with lists.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if int(row["rank"]) <= 10 and row["item"] == last[row["query"]][1]:
                hits.add(row["query"])
    return len(hits) / len(last)


def test_the_same_file_gives_the_same_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, chains(200))
    said = []
    for _ in range(2):
        assert main(["evaluate", str(file), "--protocol", "time-new", "--cut", "2026-03-10", "--json"]) == 0
        figures = json.loads(capsys.readouterr().out)
        said.append({key: figures[key] for key in figures if key not in ("fit_seconds", "peak_megabytes")})
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("rows", "protocol", "reason"),
    [
        ([("ann", "a", "2026-01-01")], "last-one", "no shopper has 5 events"),
        ([("ann", "a", "2026-01-01"), ("bob", "b", "2026-01-01")], "time-new", "same instant"),
        ([("ann", "a", "soon")], "time-new", "ts"),
        ([("ann", "a", "2026-01-01"), ("ann", "b", "2026-01-02")], "next-basket", "baskets"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[tuple[object, ...]], protocol: str, reason: str
) -> None:
    assert main(["evaluate", str(written(tmp_path, rows)), "--protocol", protocol]) == 2
    assert reason in capsys.readouterr().err


def test_a_cut_behind_the_log_says_where_the_log_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, chains(5))
    assert main(["evaluate", str(file), "--protocol", "time-new", "--cut", "2027-01-01"]) == 2
    assert "the log ends 2026-03-" in capsys.readouterr().err


def test_a_log_too_small_to_choose_by_is_answered_with_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, chains(20))
    assert main(["evaluate", str(file), "--protocol", "last-one"]) == 0
    assert "the settings' own numbers were taken" in capsys.readouterr().out


def test_sessions_keep_the_order_of_the_file_and_pauses_end_them(tmp_path: Path) -> None:
    rows = [("v", "b", "2026-01-01T10:00"), ("v", "a", "2026-01-01T10:00"), ("v", "c", "2026-01-01T12:00")]
    log = log_of(read_table(written(tmp_path, rows)), "session-prefix")
    data = log.data
    assert [data.item_ids[item] for item in data.item.tolist()] == ["b", "a", "c"]
    assert tuple(data.shopper_ids) == ("v", "v/2")
    assert data.at[1] == data.at[0] + 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("view", VIEW),
        ("Product Viewed", VIEW),
        ("add_to_cart", CART),
        ("addtocart", CART),
        ("Order Completed", PURCHASE),
        ("transaction", PURCHASE),
        ("favourite", WISHLIST),
        ("remove_from_cart", VIEW),
        ("whatever", VIEW),
    ],
)
def test_kinds_are_told_by_the_words_in_an_events_name(name: str, kind: int) -> None:
    assert kind_of(name) == kind


def test_sessions_are_named_by_their_user_in_the_order_of_the_file(tmp_path: Path) -> None:
    sessions = [("b", "z"), ("a", "y"), ("b", "x"), ("b", "z"), ("a", "w"), ("b", "v")]
    rows = [(user, f"i{n}", f"2026-01-01T00:{n:02d}:00Z", session) for n, (user, session) in enumerate(sessions)]
    data = log_of(read_table(written(tmp_path, rows, "user,item,ts,session")), "session-prefix").data
    names = data.shopper_ids
    assert sorted(names) == ["a", "a/2", "b", "b/2", "b/3"]
    assert list(names[1:3]) == list(names)[1:3]
    held: dict[str, list[str]] = {name: [] for name in names}
    for shopper, item in zip(data.shopper.tolist(), data.item.tolist(), strict=True):
        held[names[shopper]].append(data.item_ids[item])
    assert held == {"b": ["i0", "i3"], "a": ["i1"], "b/2": ["i2"], "a/2": ["i4"], "b/3": ["i5"]}
