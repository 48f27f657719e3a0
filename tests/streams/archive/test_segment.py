"""A segment gives back what was packed, bit for bit, or says that it is damaged."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.archive.place import ArchiveDamaged
from streams.archive.segment import Head, head_of, pack, unpack
from streams.readable import Timed

times = st.floats(0, 4e9)
records = st.tuples(times, st.none() | st.binary(max_size=9), st.binary(max_size=40))


def head(observations: list[Timed], outcomes: list[Timed]) -> Head:
    return Head(
        partition=3,
        begin=observations[0][0],
        stop=observations[-1][0] + 1,
        outcomes_begin=0,
        outcomes_stop=1_000_000,
        since=observations[0][1],
        until=observations[-1][1],
        observations=len(observations),
        outcomes=len(outcomes),
        lost=0,
        previous="",
    )


@given(st.integers(0, 2**40), st.lists(records, min_size=1, max_size=8), st.lists(records, max_size=4))
def test_what_was_packed_comes_back(first: int, some: list[tuple[float, bytes | None, bytes]], more: list) -> None:  # type: ignore[type-arg]
    observations = [(offset, *one) for offset, one in zip(count(first), some, strict=False)]
    outcomes = [
        (offset, *one) for offset, one in zip(count(5, 3), more, strict=False)
    ]  # a transaction's end in between
    packed = pack(head(observations, outcomes), observations, outcomes)
    assert pack(head(observations, outcomes), observations, outcomes) == packed
    found = unpack(packed)
    assert (found.observations, found.outcomes) == (observations, outcomes)
    assert found.head == head_of(packed) == head(observations, outcomes)


def test_no_byte_can_be_changed_or_cut_off_unnoticed() -> None:
    observations: list[Timed] = [(n, 1.5 * n, None if n % 2 else b"k", bytes([n]) * n) for n in range(20)]
    packed = pack(head(observations, []), observations, [])
    body = len(packed) - 60
    for at in range(body, len(packed)):
        with pytest.raises(ArchiveDamaged):
            unpack(packed[:at] + bytes([packed[at] ^ 0x10]) + packed[at + 1 :])
        with pytest.raises(ArchiveDamaged):
            unpack(packed[:at])
    with pytest.raises(ArchiveDamaged, match="no segment"):
        unpack(b"nonsense")


def test_what_is_packed_must_be_what_the_head_tells_of() -> None:
    observations: list[Timed] = [(4, 1.0, None, b"a"), (6, 2.0, None, b"b")]
    with pytest.raises(ArchiveDamaged, match="should hold the observations 4 to 6"):
        unpack(pack(head(observations, []), observations, []))
