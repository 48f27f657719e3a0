import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.history.columns import ColumnsError, Scored, decode, encode

COLUMNS = (np.array([1, 7], "u4"), np.array([1.5, 2.5]), np.array([3.0, -4.0]), np.array([0.5, 1.0], "f4"))


def test_columns_come_back_as_they_went() -> None:
    scored = Scored(*COLUMNS, np.array([0, 4096], "u2"))
    back = decode(encode(scored))
    for name in ("point", "time", "value", "score", "flags"):
        assert getattr(back, name).tolist() == getattr(scored, name).tolist()


def test_without_flags_all_are_plain() -> None:
    assert decode(encode(Scored(*COLUMNS))).flags.tolist() == [0, 0]


def test_records_from_before_there_were_flags_are_read() -> None:
    record = encode(Scored(*COLUMNS))
    back = decode(b"SCR1" + record[4:-4])
    assert back.value.tolist() == [3.0, -4.0]
    assert back.flags.tolist() == [0, 0]


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(record: bytes) -> None:
    with pytest.raises(ColumnsError):
        decode(record)
