"""What was fetched follows on what came before, or none of it is taken."""

from __future__ import annotations

import pytest

from streams.kafka.tail import MOST_BYTES, MOST_RECORDS, Tail


def entries(*offsets: int, size: int = 1) -> list[tuple[int, bytes | None, bytes]]:
    return [(offset, None, b"x" * size) for offset in offsets]


def tail(position: int = 0, *, contiguous: bool = True) -> Tail:
    made = Tail(position, contiguous=contiguous)
    made.found(position)
    return made


@pytest.mark.parametrize("fetched", [(6, 7), (5, 7), (4, 5)], ids=["a hole before", "a hole within", "one twice"])
def test_a_gap_is_refused_whole_and_read_again_from_where_it_begins(fetched: tuple[int, ...]) -> None:
    one = tail(5)
    assert not one.extend(entries(*fetched))
    assert (one.gaps, one.take(5, 10, 100)) == (1, [])
    assert one.extend(entries(8, 9)), "still under way when the client was told to go back: not counted again"
    assert one.gaps == 1 and one.take(5, 10, 100) == []
    one.found(5)
    assert one.extend(entries(5, 6, 7)) and one.take(5, 10, 100) == entries(5, 6, 7)


def test_where_transactions_end_there_are_holes_that_are_no_loss() -> None:
    one = tail(contiguous=False)
    assert one.extend(entries(0, 1)) and one.extend(entries(3, 4))
    assert one.take(0, 10, 100) == entries(0, 1, 3, 4)
    assert one.take(2, 10, 100) == entries(3, 4)


def test_what_was_taken_is_forgotten_and_what_is_elsewhere_is_not_here() -> None:
    one = tail(3)
    one.extend(entries(3, 4, 5))
    assert one.take(3, 2, 100) == entries(3, 4)
    assert one.take(3, 2, 100) == entries(3, 4), "until more is asked for"
    assert one.take(5, 2, 100) == entries(5)
    assert one.take(4, 2, 100) is None
    assert one.take(9, 2, 100) is None


def test_after_a_reset_nothing_counts_until_the_client_is_there() -> None:
    one = tail()
    one.extend(entries(0, 1))
    one.reset(7)
    assert one.extend(entries(2, 3)) and one.take(7, 10, 100) == []
    one.found(0)
    assert one.seeking, "an older seek has ended"
    one.found(7)
    assert one.extend(entries(7)) and one.take(7, 10, 100) == entries(7)


def test_it_is_bounded_and_gives_at_least_one() -> None:
    one = tail()
    one.extend(entries(*range(MOST_RECORDS)))
    assert one.is_full
    one.take(MOST_RECORDS - 1, 10, 100)
    assert not one.is_full
    large = tail()
    large.extend(entries(0, 1, size=MOST_BYTES // 2))
    assert large.is_full and large.take(0, 10, 100) == entries(0, size=MOST_BYTES // 2)
