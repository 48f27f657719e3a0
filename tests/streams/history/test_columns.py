import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.history.columns import ColumnsError, Scored, decode, encode


def test_columns_come_back_as_they_went() -> None:
    scored = Scored(np.array([1, 7], "u4"), np.array([1.5, 2.5]), np.array([3.0, -4.0]), np.array([0.5, 1.0], "f4"))
    back = decode(encode(scored))
    for name in ("point", "time", "value", "score"):
        assert getattr(back, name).tolist() == getattr(scored, name).tolist()


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(record: bytes) -> None:
    with pytest.raises(ColumnsError):
        decode(record)
