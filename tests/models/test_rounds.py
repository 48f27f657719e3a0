import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.rounds import rounds


@given(st.lists(st.integers(0, 9), max_size=60))
def test_each_round_holds_a_row_once_and_all_rounds_hold_everything_in_order(values: list[int]) -> None:
    rows = np.array(values, np.intp)
    taken = list(rounds(rows, 10))
    for one in taken:
        assert len(set(rows[one].tolist())) == len(one)
        assert (np.diff(one) > 0).all()
    assert sorted(np.concatenate(taken).tolist() if taken else []) == list(range(len(rows)))
    for row in set(values):
        places = [int(i) for one in taken for i in one if rows[i] == row]
        assert places == sorted(places)


def test_unique_rows_take_one_round() -> None:
    assert [one.tolist() for one in rounds(np.array([3, 1, 2], np.intp), 4)] == [[0, 1, 2]]


def test_nothing_takes_no_round() -> None:
    assert list(rounds(np.empty(0, np.intp), 4)) == []
