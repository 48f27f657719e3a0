"""Triage models as bytes: msgpack of plain numbers, checked when read, named by a hash of their content."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np

from models.area.store import StoreError, version_of
from models.triage.case import KEYS, LONGEST_KEY, MOST_KEYS, NAMES
from models.triage.fitting import Figures
from models.triage.model import TriageModel

MAX_BYTES = 16 * 1024 * 1024
_FORMAT = 1


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Say where a model comes from: times are unix seconds, `code` the version that learnt it."""

    begin: float
    end: float
    code: str
    trained: float
    figures: Figures


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a triage model, named by `version`."""

    version: str
    model: TriageModel
    facts: Facts


_Numbers = Annotated[tuple[float, ...], msgspec.Meta(min_length=len(NAMES), max_length=len(NAMES))]
_Key = Annotated[str, msgspec.Meta(max_length=LONGEST_KEY)]
_Tally = Annotated[dict[_Key, tuple[float, float]], msgspec.Meta(max_length=MOST_KEYS)]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    names: tuple[str, ...]
    centre: _Numbers
    scale: _Numbers
    weights: _Numbers
    intercept: float
    tallies: Annotated[dict[str, _Tally], msgspec.Meta(max_length=len(KEYS))]
    facts: Facts


_decoder = msgspec.msgpack.Decoder(_Wire)


def encode(model: TriageModel, facts: Facts) -> bytes:
    """Write a model as bytes."""
    return msgspec.msgpack.encode(
        _Wire(
            format=_FORMAT,
            names=NAMES,
            centre=tuple(model.centre.tolist()),
            scale=tuple(model.scale.tolist()),
            weights=tuple(model.weights.tolist()),
            intercept=model.intercept,
            tallies=model.tallies,
            facts=facts,
        )
    )


def decode(packed: bytes) -> Stored:
    """Read a model written by `encode`. Raise `StoreError` on anything else."""
    if len(packed) > MAX_BYTES:
        raise StoreError(f"a model of {len(packed)} bytes is larger than {MAX_BYTES}")
    try:
        wire = _decoder.decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"not a triage model: {error}") from error
    if wire.format != _FORMAT or wire.names != NAMES:
        raise StoreError("a triage model of another version of the product; train it anew")
    numbers = (*wire.centre, *wire.scale, *wire.weights, wire.intercept)
    tallies = [count for kind in wire.tallies.values() for pair in kind.values() for count in pair]
    if not all(map(math.isfinite, numbers)) or not all(0.0 <= count < math.inf for count in tallies):
        raise StoreError("it has numbers that are not finite")
    if min(wire.scale) <= 0.0:
        raise StoreError("scales must be positive")
    model = TriageModel(
        np.array(wire.centre), np.array(wire.scale), np.array(wire.weights), wire.intercept, wire.tallies
    )
    return Stored(version=version_of(packed), model=model, facts=wire.facts)
