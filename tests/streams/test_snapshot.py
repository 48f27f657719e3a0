import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import snapshot


@pytest.mark.parametrize("size", [0, 1, snapshot.CHUNK, snapshot.CHUNK + 1, 3 * snapshot.CHUNK])
def test_a_snapshot_comes_back_from_its_chunks_in_any_order(size: int) -> None:
    content = os.urandom(size)
    pieces = [content[:7], memoryview(content)[7:40], b"", content[40:]]
    for turn in (0, 1):
        records = list(snapshot.chunks(3, 17, pieces, turn))
        assert len({key for key, _ in records}) == len(records)
        assert snapshot.newest(value for _, value in reversed(records)) == (content, turn)


def test_the_newest_whole_one_wins_over_a_newer_torn_one() -> None:
    old = [value for _, value in snapshot.chunks(0, 1, b"a" * (snapshot.CHUNK + 5))]
    new = [value for _, value in snapshot.chunks(0, 2, b"b" * (snapshot.CHUNK + 5))]
    assert snapshot.newest(old + new) == (b"b" * (snapshot.CHUNK + 5), 0)
    assert snapshot.newest(new + old) == (b"b" * (snapshot.CHUNK + 5), 0)
    assert snapshot.newest(old + new[:1]) == (b"a" * (snapshot.CHUNK + 5), 0)
    damaged = new[1][:-1] + b"x"
    assert snapshot.newest([*old, new[0], damaged]) == (b"a" * (snapshot.CHUNK + 5), 0)


def test_one_that_is_half_written_leaves_the_one_before_it_whole() -> None:
    kept: dict[bytes, bytes] = {}
    for offset, turn, count in ((1, 0, 3), (2, 1, 3), (3, 0, 1)):
        records = snapshot.chunks(0, offset, bytes((offset,)) * (2 * snapshot.CHUNK + 5), turn)
        kept.update(itertools.islice(records, count))  # as a compacted topic does
    assert snapshot.newest(kept.values()) == (b"\2" * (2 * snapshot.CHUNK + 5), 1)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), max_size=6))
def test_the_last_record_alone_tells_under_which_keys_the_newest_whole_one_lies(written: list[tuple[int, int]]) -> None:
    kept: dict[bytes, bytes] = {}
    turn, last = 1, None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "CHUNK", 8)
        for offset, (count, lacking) in enumerate(written):
            records = list(snapshot.chunks(0, offset, bytes((offset,)) * (8 * count), 1 - turn))
            for key, value in records[: len(records) - lacking]:  # else its owner died over it
                kept[key] = last = value
            turn = turn if lacking else 1 - turn
    found = snapshot.newest(kept.values())
    assert last is None or found is None or snapshot.turn_after(last) == found.turn == turn
    assert last is None or found is not None or snapshot.turn_after(last) == turn


@given(st.lists(st.binary(max_size=60)))
def test_other_bytes_are_no_snapshot(values: list[bytes]) -> None:
    assert snapshot.newest(values) is None
    assert {snapshot.turn_after(value) for value in values} <= {None}
