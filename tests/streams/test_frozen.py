"""A frozen state: one msgpack document in pieces, as the state stood, whatever comes after."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from streams.bundle import Bundle
from streams.engine import Engine
from streams.frozen import LARGE, Arrays, pack, pieces, unpack
from tests.streams.small_site import START, frame_of, published, rules, site, tick

WIDE: dict[str, npt.NDArray[Any]] = {
    "none": np.empty((0, 3), "f8"),
    "few": np.arange(6, dtype="u4").reshape(2, 3),
    "most": np.zeros(LARGE - 1, "u1"),
    "large": np.arange(LARGE // 4, dtype="f4").reshape(4, -1),
    "across": np.arange(LARGE, dtype="f8").reshape(4, -1).T,
}


@pytest.mark.parametrize("count", [1, 5, 20])
def test_pieces_are_what_an_encoder_would_write_in_one_go(count: int) -> None:
    content: dict[str, Any] = {f"plain {number}": {"a": [number, None, "ü"]} for number in range(count)}
    whole = msgspec.msgpack.encode({**content, "arrays": pack(WIDE)})
    assert b"".join(pieces({**content, "arrays": Arrays(WIDE)})) == whole
    for name, array in unpack(msgspec.msgpack.decode(whole)["arrays"]).items():
        assert np.array_equal(array, WIDE[name]) and array.dtype == WIDE[name].dtype and array.flags.writeable


def test_what_is_frozen_stays_as_it_was_while_the_engine_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.frozen.LARGE", 1)  # no array is too small to be handed out as it is
    engine = Engine(0)
    engine.apply(
        [
            (0, published(Bundle(site=site(), rules=rules()))),
            (1, tick(START)),
            (2, frame_of([(0, START, 1.0), (1, START, 30.0)], START)),
        ]
    )
    before, frozen = engine.snapshot(), engine.freeze()
    engine.apply([(3, frame_of([(0, START + 60, 40.0), (1, START + 60, 2.0)], START + 60)), (4, tick(START + 120))])
    assert b"".join(frozen) == before != engine.snapshot()
