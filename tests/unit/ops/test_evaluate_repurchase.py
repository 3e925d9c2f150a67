"""`regulars evaluate-repurchase`: the tables of a small shop, what can be recomputed, and one line for what cannot be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from regulars.needs.logistic import area_under_curve
from regulars_ops import main


def shop(folder: Path, *, shoppers: int = 60, days: int = 260, header: str = "user,item,ts,quantity,value,category") -> Path:
    draw = np.random.default_rng(12)
    start = np.datetime64("2025-01-01")
    lines = []
    for shopper in range(shoppers):
        end = days if shopper % 3 else days // 2
        for day in np.cumsum(draw.exponential(4 + shopper % 9, 90)).astype(int).tolist():
            if day < end:
                for item in draw.choice(5, 2, replace=False).tolist():
                    lines.append(f"u {shopper},🍵{item},{start + day},{draw.integers(1, 3)},{draw.integers(2, 30)},c{item % 2}")
    lines.append(f"u 1,x,{start + 9},-1,5,c1")
    file = folder / "log.csv"
    file.write_text(header + "\n" + "\n".join(lines), encoding="utf-8")
    return file


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main.main(["evaluate-repurchase", *arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_every_table_of_a_small_shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = tmp_path / "out.csv"
    file = str(shop(tmp_path))
    code, out, _ = told([file, "--horizon", "40", "--cut", "2025-08-01", "--json", "--export", str(export)], capsys)
    made = json.loads(out)
    assert code == 0
    assert (made["cut"], made["horizon"], made["by"]) == ("2025-08-01", 40, "category")
    tables = made["tables"]
    assert set(tables) == {"returns", "values", "dates", "pairs", "demand"}
    assert not [name for name, table in tables.items() if "not_measured" in table]
    assert tables["returns"]["rows"]["chosen"]["auc"] > 0.9
    assert {"recency only", "overdue ratio", "P(alive)", "expected purchases (MBG/NBD)"} < set(tables["returns"]["rows"])
    assert set(tables["dates"]["rows"]) == {"shrunk (used)", "personal median", "item's gap", "global median"}
    rows = list(csv.DictReader(export.read_text("utf-8").splitlines()))
    returns = [row for row in rows if row["table"] == "returns"]
    again = area_under_curve(
        np.array([float(row["score"]) for row in returns]), np.array([row["outcome"] == "1" for row in returns])
    )
    assert again == pytest.approx(tables["returns"]["rows"]["chosen"]["auc"], abs=1e-3)
    assert {row["item"] for row in rows if row["table"] == "pairs"} <= {f"🍵{n}" for n in range(5)}


def test_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without value and category: values are not measured, demand is by item; the cut is a horizon before the end."""
    file = shop(tmp_path, header="who,item,ts,quantity,a,b")
    code, out, _ = told([str(file), "--column", "user=who", "--horizon", "60"], capsys)
    assert code == 0
    assert "not measured: no column `value`" in out
    assert "by item" in out
    assert "rows with a quantity of nought or less are no purchases" in out
    assert "buys again within 60 days, cut 2025-07-2" in out


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", [], "is empty"),
        ("user,item,when\na,b,c\n", [], "no column ts"),
        ("user,item,ts\na,b,soon\n", [], "'soon'"),
        ("user,item,ts\na,b,1\na,b,2\n", [], "order numbers"),
        ("user,item,ts\na,b,2025-01-01\nb,b,2025-01-01\n", [], "everything happens on 2025-01-01"),
        ("user,item,ts,event\na,b,2025-01-01,view\na,b,2025-03-01,view\n", [], "no event is a purchase"),
        ("user,item,ts,quantity\na,b,2025-01-01,-1\n", [], "no row is a purchase"),
        ("user,item,ts\na,b,2025-01-01\na,b,2025-06-01\n", [], "1 shoppers bought"),
        ("user,item,ts\na,b,2025-01-01\na,b,2025-06-01\n", ["--cut", "2026-01-01"], "leaves nothing before or after"),
        ("user,item,ts\na,b,2025-01-01\na,b,2025-01-28\n", [], "spans 28 days, no more than --horizon 90"),
        ("user,item,ts\na,b,2025-01-01\na,b,2025-06-01\n", ["--cut", "then"], "'then' is no date"),
        ("user,item,ts\na,b,2025-01-01\na,b,2025-06-01\n", ["--horizon", "0"], "at least a day"),
        ("user,item,ts\na,b,2025-01-01\n", ["--column", "user"], "OURS=THEIRS"),
        ("user,item,ts\na,b,2025-01-01\n", ["--settings", "none.yaml"], "no such file"),
    ],
)
def test_refusals_are_one_line(
    text: str, arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(text)
    code, out, err = told([str(file), *arguments], capsys)
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]


def test_settings_of_the_shop_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = tmp_path / "shop.yaml"
    changed.write_text("needs: {rebuying: {horizon_days: 7}, returning: {training_cuts: 1}}\n")
    code, out, _ = told([str(shop(tmp_path)), "--horizon", "40", "--settings", str(changed), "--json"], capsys)
    assert code == 0
    assert json.loads(out)["pairs_horizon"] == 7
