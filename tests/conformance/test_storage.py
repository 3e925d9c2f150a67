"""Every data bucket keeps the same promises."""

from __future__ import annotations

import pytest

from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import Misconfigured
from regulars.shop import OVERRIDES_KEY, overrides
from regulars.storage import Storage


@pytest.fixture(params=["memory", "s3"])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        return MemoryStorage()
    from regulars.adapters.aws import client
    from regulars.adapters.storage.s3 import S3Storage

    request.getfixturevalue("aws")
    client("s3").create_bucket(Bucket="data")
    return S3Storage("data")


def test_objects_are_put_read_replaced_and_deleted(storage: Storage) -> None:
    assert storage.get("a/b") is None
    storage.put("a/b", b"\x00one")
    storage.put("a/b", b"two", "text/plain")
    assert storage.get("a/b") == b"two"
    storage.delete("a/b")
    storage.delete("a/b")
    assert storage.get("a/b") is None


def test_keys_are_listed_in_lexical_order_beyond_one_page(storage: Storage) -> None:
    names = [f"day={number:04d}" for number in range(1005)]
    for name in reversed(names):
        storage.put(f"archive/{name}", b"")
    storage.put("other", b"")
    assert list(storage.list("archive/")) == [f"archive/{name}" for name in names]


def test_sizes_are_told_without_reading(storage: Storage) -> None:
    storage.put("a/one", b"1")
    storage.put("a/three", b"123")
    assert list(storage.sizes("a/")) == [("a/one", 1), ("a/three", 3)]


def test_the_shops_overrides_are_read_from_it(storage: Storage) -> None:
    assert overrides(storage) == {}
    storage.put(OVERRIDES_KEY, b"profiles:\n  weights: {floor: 0.5}\n")
    assert overrides(storage) == {"profiles": {"weights": {"floor": 0.5}}}


def test_a_bucket_that_is_not_there_is_a_mistake_in_the_settings(aws: None) -> None:
    from regulars.adapters.storage.s3 import S3Storage

    with pytest.raises(Misconfigured):
        S3Storage("nowhere").get("a")
