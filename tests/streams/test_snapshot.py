import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import snapshot


@pytest.mark.parametrize("size", [0, 1, snapshot.CHUNK, snapshot.CHUNK + 1, 3 * snapshot.CHUNK])
def test_a_snapshot_comes_back_from_its_chunks_in_any_order(size: int) -> None:
    content = os.urandom(size)
    records = snapshot.chunks(3, 17, content)
    assert len({key for key, _ in records}) == len(records)
    assert snapshot.newest(value for _, value in reversed(records)) == content


def test_the_newest_whole_one_wins_over_a_newer_torn_one() -> None:
    old = [value for _, value in snapshot.chunks(0, 1, b"a" * (snapshot.CHUNK + 5))]
    new = [value for _, value in snapshot.chunks(0, 2, b"b" * (snapshot.CHUNK + 5))]
    assert snapshot.newest(old + new) == b"b" * (snapshot.CHUNK + 5)
    assert snapshot.newest(old + new[:1]) == b"a" * (snapshot.CHUNK + 5)
    damaged = new[1][:-1] + b"x"
    assert snapshot.newest([*old, new[0], damaged]) == b"a" * (snapshot.CHUNK + 5)


@given(st.lists(st.binary(max_size=60)))
def test_other_bytes_are_no_snapshot(values: list[bytes]) -> None:
    assert snapshot.newest(values) is None
