"""Models as bytes: what is written is read again, what is not a model is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.area.fitting import fit
from models.area.gaussian import Gaussian
from models.area.model import KINDS, Kind
from models.area.store import Facts, StoreError, decode, encode, version_of
from tests.models.area.plant import NAMES, plant

TIME, VALUES = plant(300)
FACTS = Facts(begin=float(TIME[0]), end=float(TIME[-1]), rows=300, code="0.1.0", source="test")
PACKED = {kind: encode("slope", fit(TIME, VALUES, NAMES, 10.0, kind=kind), FACTS) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_read_as_it_was_written(kind: Kind) -> None:
    stored = decode(PACKED[kind])
    again = encode(stored.area, fit(TIME, VALUES, NAMES, 10.0, kind=kind), stored.facts)
    assert again == PACKED[kind]
    assert stored.version == version_of(PACKED[kind])
    assert (stored.area, stored.model.kind, stored.model.names) == ("slope", kind, NAMES)
    fitted = fit(TIME, VALUES, NAMES, 10.0, kind=kind).model
    rows = np.random.default_rng(1).normal(size=(20, 5))
    assert np.array_equal(stored.model.shape.distance(rows), fitted.shape.distance(rows))


def spoilt(kind: Kind, **changes: Any) -> bytes:
    content = msgspec.msgpack.decode(PACKED[kind])
    for name, value in changes.items():
        if name in content:
            content[name] = value
        else:
            content["arrays"][name.replace("__", ".")] = value
    return msgspec.msgpack.encode(content)


def packed(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a model"),
        (b"\x80", "not a model"),
        (spoilt("pca", format=2), "format 2"),
        (spoilt("pca", interval=float("nan")), "not a model"),
        (spoilt("pca", span=10**9), "not a model"),
        (spoilt("pca", names=["a", "a", "b", "c", "d"]), "named twice"),
        (spoilt("pca", names=["a"] * 65), "not a model"),
        (spoilt("pca", precision=packed(np.full((5, 5), np.nan))), "not finite"),
        (spoilt("pca", precision=packed(np.zeros((5, 4)))), "precision is not"),
        (spoilt("pca", precision=("<f8", (5, 5), b"short")), "precision is not"),
        (spoilt("pca", precision=("|O", (5, 5), b"\0" * 200)), "precision is not"),
        (spoilt("pca", precision=packed(np.zeros((5, 5)))), "measures no distance"),
        (spoilt("pca", precision=packed(np.diag([1.0, 1.0, 1.0, 1.0, -1e-3]))), "measures no distance"),
        (spoilt("pca", precision=packed(np.tri(5))), "measures no distance"),
        (spoilt("pca", channels__scale=packed(np.zeros(5))), "positive"),
        (spoilt("pca", limits=packed(np.zeros(61))), "ascend"),
        (spoilt("forest", feature=packed(np.full((1, 3), 7, np.int32))), "not <f8"),
        (spoilt("forest", feature=("<i4", (10**6, 10**6), b"")), "not too many"),
        (spoilt("forest", norm=0.0), "there is not"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        decode(content)


def test_main_components_of_redundant_sensors_by_an_older_version_are_still_read() -> None:
    """They are in force at sites: 1e31 in one direction, nothing in another, with the rounding of the largest."""
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    old = (turn.T * np.array([3.0, 2.0, 1.0, 0.5, 1.5e31])) @ turn
    shape = decode(spoilt("pca", precision=packed(old))).model.shape
    assert isinstance(shape, Gaussian) and np.array_equal(shape.precision, old)
    still = Gaussian(np.zeros(3), np.diag([1.0, 0.0, 0.0]))
    assert still.completed(np.array([2.0, 3.0, 4.0]), np.array([False, True, True])).tolist() == [2.0, 0.0, 0.0]


def test_a_tree_that_leads_back_is_refused() -> None:
    shape = decode(PACKED["forest"]).model.shape
    left = shape.left.copy()  # type: ignore[union-attr]
    left[shape.feature >= 0] = 0  # type: ignore[union-attr]
    with pytest.raises(StoreError, match="leads nowhere"):
        decode(spoilt("forest", left=packed(left)))


@given(at=st.integers(0, len(PACKED["pca"]) - 1), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_any_changed_byte_gives_another_model_or_none(at: int, value: int) -> None:
    changed = bytearray(PACKED["pca"])
    changed[at] = value
    with contextlib.suppress(StoreError):
        assert decode(bytes(changed)).version == version_of(bytes(changed))


def test_what_is_usual_is_kept_and_a_model_from_before_has_none() -> None:
    fitted, stored = fit(TIME, VALUES, NAMES, 10.0, kind="pca").model, decode(PACKED["pca"])
    assert fitted.usual is not None and stored.model.usual is not None
    assert all(map(np.array_equal, fitted.usual, stored.model.usual))
    content = msgspec.msgpack.decode(PACKED["pca"])
    content["arrays"] = {name: array for name, array in content["arrays"].items() if not name.startswith("usual.")}
    assert decode(msgspec.msgpack.encode(content)).model.usual is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"measured": ["counter"]}, "what it measures"),
        ({"measured": ["colour"] * 5}, "not a model"),
        ({"measured": ["angle"] * 5}, "origin is not"),
        ({"usual__low": packed(np.full(6, 1e9))}, "no width"),
        ({"usual__repeats": packed(np.zeros(6))}, "less than once"),
        ({"usual__high": packed(np.zeros(5))}, "usual.high is not"),
    ],
)
def test_what_cannot_be_usual_or_measured_is_refused(changes: dict[str, Any], says: str) -> None:
    content = msgspec.msgpack.decode(PACKED["pca"])
    for name, value in changes.items():
        (content if name == "measured" else content["arrays"])[name.replace("__", ".")] = value
    with pytest.raises(StoreError, match=says):
        decode(msgspec.msgpack.encode(content))
