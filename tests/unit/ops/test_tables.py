"""`read_table`: any honest CSV or Parquet becomes codes, milliseconds and numbers; the rest is named, counted or refused."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.errors import Invalid, NotFound
from regulars_ops import table_columns, tables
from regulars_ops.tables import Table, read_table

NOON = 1_320_148_800_000  # 2011-11-01T12:00Z


def csv(folder: Path, text: str, name: str = "t.csv") -> Table:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return read_table(file)


def parquet(folder: Path, **columns: object) -> Table:
    file = folder / "t.parquet"
    pq.write_table(pa.table(columns), file)
    return read_table(file)


def words(table: Table) -> list[tuple[str, str]]:
    return [(table.user_ids[u], table.item_ids[i]) for u, i in zip(table.users, table.items, strict=True)]


def test_ids_stay_text(tmp_path: Path) -> None:
    table = csv(tmp_path, 'user,item,ts\n 007 ,"tea, green",2011-11-01\nánna 🌸,a b,2011-11-02\n007,a b,2011-11-03\n')
    assert words(table) == [("007", "tea, green"), ("ánna 🌸", "a b"), ("007", "a b")]
    assert table.users.dtype == np.int32
    assert table.ts.dtype == np.int64


def test_numbers_as_ids(tmp_path: Path) -> None:
    table = parquet(tmp_path, user=[13085.0, None, 7.0], item=[85048, 1, 1], ts=pa.array([NOON] * 3, pa.timestamp("ms")))
    assert words(table) == [("13085", "85048"), ("7", "1")]
    assert table.left_out == {"no user": 1}
    assert table.ts.tolist() == [NOON, NOON]
    assert "1 rows with no user" in table.notes[1]


def test_categories_and_nan(tmp_path: Path) -> None:
    table = parquet(
        tmp_path,
        user=pa.array(["a", "b"]).dictionary_encode(),
        item=[0.5, float("nan")],
        ts=pa.array(["2011-11-01", "2011-11-01"]).dictionary_encode(),
    )
    assert words(table) == [("a", "0.5")]
    assert table.left_out == {"no item": 1}


@pytest.mark.parametrize(
    ("cells", "ms", "dated"),
    [
        (["2011-11-01T12:00:00Z", "2011-11-01T13:00:00+01:00"], [NOON, NOON], True),
        (["2011-11-01 12:00:00", "2011-11-01 12:00:00.250"], [NOON, NOON + 250], True),
        (["2011-11-01", "2011-11-02"], [NOON - 43_200_000, NOON + 43_200_000], True),
        (["20111101", "20111102"], [NOON - 43_200_000, NOON + 43_200_000], True),
        (["1320148800", "1320148801"], [NOON, NOON + 1000], True),
        (["1320148800.5", "1320148801"], [NOON + 500, NOON + 1000], True),
        (["1320148800000", "1320148800001"], [NOON, NOON + 1], True),
        (["1320148800000000", "1320148800001000"], [NOON, NOON + 1], True),
        (["1", "2"], [1, 2], False),
        (["0.5", "2"], [500, 2000], False),
        (["20111399", "20111102"], [20_111_399, 20_111_102], False),
    ],
)
def test_times(tmp_path: Path, cells: list[str], ms: list[int], dated: bool) -> None:
    table = csv(tmp_path, "user,item,ts\n" + "".join(f"u,i,{cell}\n" for cell in cells))
    assert (table.ts.tolist(), table.dated) == (ms, dated)
    assert table.notes[0].startswith("ts: ")


def test_parquet_times(tmp_path: Path) -> None:
    for column in (
        pa.array([date(2011, 11, 1)]),
        pa.array([datetime(2011, 11, 1, tzinfo=UTC)], pa.timestamp("ns", "Europe/Paris")),
        pa.array([1_320_105_600]),
    ):
        assert parquet(tmp_path, user=["u"], item=["i"], ts=column).ts.tolist() == [NOON - 43_200_000]


def test_rows_without_time_are_counted(tmp_path: Path) -> None:
    table = csv(
        tmp_path, "user,item,ts\nu,i,soon\nu,j,2011-11-01T12:00\n,j,2011-11-01\nu,,2011-11-01\nu,k,\nv,k,2011-11-01T12:00\n"
    )
    assert words(table) == [("u", "j"), ("v", "k")]
    assert table.ts.tolist() == [NOON, NOON]
    assert table.left_out == {"no user": 1, "no item": 1, "no readable ts": 2}


def test_optional_columns(tmp_path: Path) -> None:
    head = "TS;User;Item;event;session;quantity;value;Category\n"
    text = head + "1;a;x;view;s9;2;1.5;red\n2;a;y;buy;s9;;NaN;\n3;b;x;view;s1;1e99;inf;red\n"
    table = csv(tmp_path, text)
    assert table.events is not None
    assert [table.event_names[e] for e in table.events] == ["view", "buy", "view"]
    assert table.sessions is not None
    assert table.sessions.tolist() == [0, 0, 1]
    assert table.categories is not None
    assert [table.category_names[c] for c in table.categories] == ["red", "", "red"]
    assert table.quantity is not None
    assert table.value is not None
    assert np.array_equal(table.quantity, np.array([2, np.nan, np.nan], np.float32), equal_nan=True)
    assert np.array_equal(table.value, np.array([1.5, np.nan, np.nan], np.float32), equal_nan=True)


def test_batches_give_what_one_batch_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    rows = [
        f"u{draw.integers(40)},i{draw.integers(9)},{draw.integers(10**9, 2 * 10**9)},s{draw.integers(200)}" for _ in range(3000)
    ]
    text = "user,item,ts,session\n" + "\n".join(rows)
    whole = csv(tmp_path, text)
    monkeypatch.setattr(tables, "_BATCH_BYTES", 2000)
    parts = csv(tmp_path, text)
    assert whole.user_ids == parts.user_ids
    for name in ("users", "items", "ts", "sessions"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    _, codes = np.unique([row.split(",")[3] for row in rows], return_inverse=True)
    assert len({*zip(codes, whole.sessions, strict=True)} if whole.sessions is not None else ()) == len(set(codes))


def test_gzip_and_rename(tmp_path: Path) -> None:
    file = tmp_path / "t.csv.gz"
    file.write_bytes(gzip.compress("household,product,day\na,x,2011-11-01\n".encode("utf-8-sig")))
    table = read_table(file, rename={"user": "household", "item": "product", "ts": "day"}, show=True)
    assert words(table) == [("a", "x")]


def test_ragged_rows_are_counted(tmp_path: Path) -> None:
    table = csv(tmp_path, "user,item,ts\na,x,1\na,x\nb,x,2,3\nb,y,3\n")
    assert len(table) == 2
    assert table.left_out == {"cells missing or too many": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("user,item,ts\n", "no rows"),
        ("user,item,when\na,x,1\n", "has no column ts; it has user, item, when"),
        ("user,item,user,ts\na,x,a,1\n", "names a column twice"),
        ("user,item,ts\na,x,soon\n", "'soon'"),
        ("user,item,ts\n,x,1\n", "1 rows with no user"),
        ("user,item,ts,event\n" + "".join(f"a,x,1,e{n}\n" for n in range(200)), "kinds of event"),
    ],
)
def test_refusals_say_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        csv(tmp_path, text)


def test_no_table_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_table(tmp_path / "none.csv")
    for content in (b"\xff\xfe\x00\x81", b"PAR1 but no more", b"\x1f\x8b broken"):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(Invalid):
            read_table(tmp_path / "x.csv")
    with pytest.raises(Invalid, match="no column is called colour"):
        read_table(
            tmp_path / "x.parquet" if csv(tmp_path, "user,item,ts\na,b,1\n", "x.parquet") else "", rename={"colour": "c"}
        )
    with pytest.raises(Invalid, match="ts holds bool"):
        parquet(tmp_path, user=["a"], item=["b"], ts=[True])
    with pytest.raises(Invalid, match="user holds list"):
        parquet(tmp_path, user=[[1]], item=["b"], ts=[1])
    with pytest.raises(Invalid, match="value holds"):
        parquet(tmp_path, user=["a"], item=["b"], ts=[1], value=[[1]])


def test_session_codes_follow_first_appearance() -> None:
    parts = [np.array([9, -3, 9], dtype=np.int64), np.array([5, -3], dtype=np.int64)]
    assert table_columns.first_seen(parts).tolist() == [0, 1, 0, 2, 1]
