"""Triage models as bytes: the same odds again, and nothing but a model is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from models.area.store import StoreError
from models.triage.case import LONGEST_KEY
from models.triage.fitting import fit
from models.triage.store import Facts, decode, encode
from tests.models.triage.verdicts import drawn


@pytest.fixture(scope="module")
def packed() -> bytes:
    fitted = fit([verdict for verdict, _ in drawn(200)])
    return encode(fitted.model, Facts(begin=1.0, end=2.0, code="test", trained=3.0, figures=fitted.figures))


def test_a_model_reads_back_to_the_same_odds_and_figures(packed: bytes) -> None:
    fitted = fit([verdict for verdict, _ in drawn(200)])
    stored = decode(packed)
    assert stored.facts.figures == fitted.figures and len(stored.version) == 12
    for verdict, _ in drawn(20, 9):
        assert stored.model.odds(verdict.case) == fitted.model.odds(verdict.case)


def broken(packed: bytes, **change: Any) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(packed), **change})


def test_what_is_no_model_is_refused(packed: bytes) -> None:
    whole = msgspec.msgpack.decode(packed)
    for bad in (
        b"",
        packed[:-3],
        b"\x80",
        broken(packed, format=2),
        broken(packed, names=["x"]),
        broken(packed, weights=whole["weights"][:-1]),
        broken(packed, weights=[float("nan")] * len(whole["weights"])),
        broken(packed, scale=[0.0] * len(whole["scale"])),
        broken(packed, tallies={"rule": {"r": [-1.0, 0.0]}}),
        broken(packed, tallies={"rule": {"r": [float("inf"), 0.0]}}),
        broken(packed, more=1),
    ):
        with pytest.raises(StoreError):
            decode(bad)


def test_a_key_is_no_longer_when_written_than_when_read() -> None:
    long = "p" * 600
    verdicts = [verdict._replace(case=verdict.case._replace(scope=long)) for verdict, _ in drawn(200)]
    fitted = fit(verdicts)
    facts = Facts(begin=1.0, end=2.0, code="test", trained=3.0, figures=fitted.figures)
    again = decode(encode(fitted.model, facts)).model
    assert again.odds(verdicts[0].case) == fitted.model.odds(verdicts[0].case)
    assert [len(key) for key in again.tallies["scope"]] == [LONGEST_KEY]


def test_a_model_that_is_too_large_is_not_read() -> None:
    with pytest.raises(StoreError, match="larger than"):
        decode(bytes(17 * 1024 * 1024))
