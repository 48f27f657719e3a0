"""Read the compact series of a rule's own tests: numbers, flags, pictures, levels and the times between them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sensors.duration import seconds
from sensors.flags import FLAGS, RULED
from sensors.observation import CAMERA_FAULTS
from sensors.site import LEVELS

MAX_STEPS = 10_000
LEVEL_NAMES = ("none", *LEVELS)
UNJUDGED = "unjudged"
_REPEATED = re.compile(r"(.+?)\*([0-9]{1,5})\Z")

Array = npt.NDArray[np.float64]
Item = TypeVar("Item")


class VectorError(ValueError):
    """Raised when a test cannot be run: which of its fields is wrong, and why."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field}: {message}")


@lru_cache(maxsize=4096)  # most tests give no score, and many rules the same series
def numbers(text: str, field: str, default: float, steps: int | None) -> Array:
    """Read numbers: `3 4*10 0..9*10 _*2`; the last `default` fills them up to `steps`. Not to be written to."""
    found: list[float] = []
    for item, count in _tokens(text):
        first, dots, last = item.partition("..")
        try:
            if item == "_":
                found += [math.nan] * count
            elif dots:
                found += np.linspace(_number(first, field), _number(last, field), count).tolist()
            else:
                found += [_number(item, field)] * count
        except ValueError:
            token = f"{item}*{count}" if count > 1 else item
            raise VectorError(field, f"'{token[:60]}' is neither a number, a..b*n, n*times nor _") from None
        _require_few(len(found), field)
    if steps is not None:
        if len(found) > steps:
            raise VectorError(field, f"{len(found)} steps, the values have {steps}")
        found += [default] * (steps - len(found))
    return _fixed(np.array(found, np.float64))


def _number(text: str, field: str) -> float:
    value = float(text)
    never = value == math.inf and field.rpartition(".")[2] == "eta"
    if not math.isfinite(value) and not never:  # what is not there is `_`, and no reading is infinite
        raise ValueError(text)
    return value


@lru_cache(maxsize=1024)
def times(step: float | str, count: int) -> tuple[Array, float]:
    """Return the seconds at which `count` steps stand, and how long the last of them counts. Not to be written to.

    `step` is one duration for all, or the time from each step to the next (`20s*12 10m 20s`); its last goes on.
    """
    if isinstance(step, str) and not _is_duration(step):
        gaps = _repeated(step, "step", lambda item: span(item, "step")) or [0.0]
    else:
        gaps = [span(step, "step")]
    if min(gaps) <= 0:
        raise VectorError("step", "a step takes time")
    gaps += [gaps[-1]] * (count - len(gaps))
    return _fixed(np.cumsum([0.0, *gaps[: count - 1]])), gaps[count - 1]


def pictures(text: str) -> list[tuple[str, ...] | None]:
    """Read what a camera shows: `none*3 black*5 blur+cover unjudged _*10`; None is nothing heard."""

    def shown(item: str) -> tuple[str, ...] | None:
        parts = tuple(item.split("+")) if item not in ("_", "none") else ()
        for part in parts:
            if part not in (*CAMERA_FAULTS, UNJUDGED):
                known = ", ".join(("none", *CAMERA_FAULTS, UNJUDGED, "_"))
                raise VectorError("camera", f"'{part}' is nothing that a camera shows; write {known}")
        return None if item == "_" else parts

    return _repeated(text, "camera", shown)


@lru_cache(maxsize=1024)
def flags(text: str, field: str, steps: int) -> npt.NDArray[np.uint16]:
    """Read flags: `_*5 jump*3`; none fills them up to `steps`. Not to be written to."""

    def flag(item: str) -> int:
        if item != "_" and item not in RULED:
            raise VectorError(field, f"'{item}' is no flag; write _, {', '.join(RULED)}")
        return FLAGS.get(item, 0)

    found = _repeated(text, field, flag)
    if len(found) > steps:
        raise VectorError(field, f"{len(found)} steps, the values have {steps}")
    return _fixed(np.array(found + [0] * (steps - len(found)), np.uint16))


def _fixed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array


def levels(text: str, field: str) -> list[int]:
    """Read levels as ranks (0 none, 4 red): `none*5 yellow red`. Raise `VectorError` on none at all."""

    def rank(item: str) -> int:
        if item not in LEVEL_NAMES:
            raise VectorError(field, f"'{item}' is no level; write {', '.join(LEVEL_NAMES)}")
        return LEVEL_NAMES.index(item)

    found = _repeated(text, field, rank)
    if not found:
        raise VectorError(field, "name a level")
    return found


def span(duration: float | str, field: str) -> float:
    """Return seconds of a duration in a test's field."""
    try:
        return seconds(duration)
    except ValueError as error:
        raise VectorError(field, str(error)) from None


def _is_duration(text: str) -> bool:
    try:
        seconds(text)
    except ValueError:
        return False
    return True


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    for token in text.split():
        match = _REPEATED.match(token)
        yield (match[1], int(match[2])) if match else (token, 1)


def _repeated(text: str, field: str, read: Callable[[str], Item]) -> list[Item]:
    found: list[Item] = []
    for item, count in _tokens(text):
        found += [read(item)] * count
        _require_few(len(found), field)
    return found


def _require_few(count: int, field: str) -> None:
    if count > MAX_STEPS:
        raise VectorError(field, f"more than {MAX_STEPS:,} steps")
