"""Models as bytes: msgpack of plain arrays, checked field by field when read, named by a hash of their content."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.area.channels import Channels
from models.area.drift import Usual
from models.area.fitting import MOST_CHANNELS, Fitted
from models.area.forest import Forest
from models.area.gaussian import Gaussian
from models.area.limits import LEVELS, Limits
from models.area.model import AreaModel, Kind
from models.area.quantities import Quantities, Quantity, gauges

MAX_BYTES = 16 * 1024 * 1024
MOST_TREES, MOST_NODES = 1000, 100_000
_FORMAT = 1
_ROUNDING = 1e-9
"""Of its largest number, what a precision may be off by: those of older versions have numbers 1e31 apart."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class StoreError(ValueError):
    """Raised when bytes are not a model: says what is wrong with them."""


class Tried(msgspec.Struct, frozen=True):
    """Say how a kind did when tried: shares of rows judged anomalous falsely and of faults found; -1 untried."""

    kind: Kind
    false: float
    found: float


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Say where a model comes from: times are unix seconds, `code` the version that learnt it."""

    begin: float
    end: float
    rows: int
    code: str
    source: Annotated[str, msgspec.Meta(max_length=500)] = ""
    trained: float = 0.0
    tried: Annotated[tuple[Tried, ...], msgspec.Meta(max_length=10)] = ()


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a model of an area, named by `version`."""

    version: str
    area: str
    model: AreaModel
    facts: Facts


_Array = tuple[str, tuple[int, ...], bytes]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    area: _Name
    kind: Kind
    names: Annotated[tuple[_Name, ...], msgspec.Meta(min_length=1, max_length=MOST_CHANNELS)]
    interval: Annotated[float, msgspec.Meta(gt=0.0, le=1e9)]
    span: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    rate: Annotated[float, msgspec.Meta(gt=0.0, le=0.5)]
    norm: float = 1.0
    measured: Annotated[tuple[Quantity, ...], msgspec.Meta(max_length=MOST_CHANNELS)] = ()  # none: all gauges
    arrays: Annotated[dict[str, _Array], msgspec.Meta(max_length=20)]
    facts: Facts


_decoder = msgspec.msgpack.Decoder(_Wire)
_TREE = {"feature": "<i4", "threshold": "<f8", "left": "<i4", "right": "<i4", "path": "<f8"}


def encode(area: str, fitted: Fitted, facts: Facts) -> bytes:
    """Write a model as bytes."""
    model = fitted.model
    arrays = {
        "channels.centre": model.channels.centre,
        "channels.scale": model.channels.scale,
        "limits": model.limits.distance,
    }
    if isinstance(model.shape, Forest):
        arrays |= {name: np.asarray(getattr(model.shape, name), kind) for name, kind in _TREE.items()}
        arrays["usual"] = model.shape.usual
    else:
        arrays |= {"centre": model.shape.centre, "precision": model.shape.precision}
    measured: tuple[Quantity, ...] = ()
    if not model.quantities.plain:
        measured = tuple(
            "counter" if counts else "angle" if turns else "gauge"
            for counts, turns in zip(model.quantities.counter, model.quantities.angle, strict=True)
        )
        arrays["origin"] = model.quantities.origin
    if model.usual is not None:
        arrays |= {f"usual.{name}": array for name, array in model.usual._asdict().items()}
    tried = tuple(
        Tried(trial.kind, *(float(x) if np.isfinite(x) else -1.0 for x in (trial.false, trial.found)))
        for trial in fitted.trials
    )
    return msgspec.msgpack.encode(
        _Wire(
            format=_FORMAT,
            area=area,
            kind=model.kind,
            names=model.names,
            interval=model.interval,
            span=model.span,
            rate=model.rate,
            norm=model.shape.norm if isinstance(model.shape, Forest) else 1.0,
            measured=measured,
            arrays={name: _packed(array) for name, array in arrays.items()},
            facts=msgspec.structs.replace(facts, tried=tried),
        )
    )


def version_of(packed: bytes) -> str:
    """Name a model by its content: twelve hexadecimal digits."""
    return hashlib.blake2b(packed, digest_size=6).hexdigest()


def decode(packed: bytes) -> Stored:
    """Read a model written by `encode`. Raise `StoreError` on anything else."""
    if len(packed) > MAX_BYTES:
        raise StoreError(f"a model of {len(packed)} bytes is larger than {MAX_BYTES}")
    try:
        wire = _decoder.decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"not a model: {error}") from error
    if wire.format != _FORMAT:
        raise StoreError(f"a model of format {wire.format}; this version reads {_FORMAT}")
    if len(set(wire.names)) < len(wire.names):
        raise StoreError("a point is named twice")
    count = len(wire.names)
    centre, scale = (_array(wire, f"channels.{name}", "<f8", (count,)) for name in ("centre", "scale"))
    distance = _array(wire, "limits", "<f8", (len(LEVELS),))
    if not (scale > 0.0).all() or not (np.diff(distance) > 0.0).all():
        raise StoreError("scales must be positive, and limits ascend")
    shape = _forest(wire, count) if wire.kind == "forest" else _gaussian(wire, count)
    model = AreaModel(
        wire.kind, wire.names, wire.interval, wire.span, wire.rate, Channels(centre, scale), shape, Limits(distance),
        _quantities(wire, count), _usual(wire, count),
    )  # fmt: skip
    return Stored(version=version_of(packed), area=wire.area, model=model, facts=wire.facts)


def _quantities(wire: _Wire, count: int) -> Quantities:
    if not wire.measured:
        return gauges(count)
    if len(wire.measured) != count:
        raise StoreError("it must be said of each point what it measures, or of none")
    kind = np.array(wire.measured)
    return Quantities(kind == "counter", kind == "angle", _array(wire, "origin", "<f8", (count,)))


def _usual(wire: _Wire, count: int) -> Usual | None:
    if "usual.low" not in wire.arrays:  # of a version before this one
        return None
    usual = Usual(*(_array(wire, f"usual.{name}", "<f8", (count + 1,)) for name in Usual._fields))
    if (usual.low > usual.high).any() or (usual.repeats < 1.0).any():
        raise StoreError("what is usual has no width, or repeats less than once")
    return usual


def _gaussian(wire: _Wire, count: int) -> Gaussian:
    precision = _array(wire, "precision", "<f8", (count, count))
    size = float(np.abs(precision).max())
    scaled = precision / size if size > 0.0 else precision
    if not size > 0.0 or np.abs(scaled - scaled.T).max() > _ROUNDING or np.linalg.eigvalsh(scaled)[0] < -_ROUNDING:
        raise StoreError("its precision is not symmetric and positive: it measures no distance; train the model anew")
    return Gaussian(_array(wire, "centre", "<f8", (count,)), precision)


def _forest(wire: _Wire, count: int) -> Forest:
    shape = wire.arrays["feature"][1] if "feature" in wire.arrays else ()
    if len(shape) != 2 or not (1 <= shape[0] <= MOST_TREES and 1 <= shape[1] <= MOST_NODES):
        raise StoreError("a forest needs trees, not too many")
    feature, threshold, left, right, path = (_array(wire, name, kind, shape) for name, kind in _TREE.items())
    inner, own = feature >= 0, np.arange(shape[1])
    if (feature >= count).any() or not wire.norm > 0.0:
        raise StoreError("a tree asks for a point that there is not")
    for child in (left, right):  # towards higher numbers only: a walk ends
        if (inner & ((child <= own) | (child >= shape[1]))).any():
            raise StoreError("a tree leads nowhere")
    return Forest(feature, threshold, left, right, path, _array(wire, "usual", "<f8", (count,)), wire.norm)


def _packed(array: npt.NDArray[Any]) -> _Array:
    array = np.ascontiguousarray(array, "<i4" if array.dtype.kind == "i" else "<f8")
    return array.dtype.str, array.shape, array.tobytes()


def _array(wire: _Wire, name: str, kind: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Read one array of an expected kind and shape, all finite."""
    found = wire.arrays.get(name)
    if found is None or found[:2] != (kind, shape) or len(found[2]) != np.dtype(kind).itemsize * int(np.prod(shape)):
        raise StoreError(f"{name} is not {kind} of shape {shape}")
    array = np.frombuffer(found[2], kind).reshape(shape)
    if not np.isfinite(array).all():
        raise StoreError(f"{name} has numbers that are not finite")
    return array
