"""Faults put on a quiet stretch of an area's rows, to try models on: always the same ones for the same stretch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SIZE = 3.0
"""Scales by which a fault moves its channels: less than a person would see on a chart of one of them."""

_EACH = 4


class Fault(NamedTuple):
    """Hold rows with a fault put on: values f8[rows, channels], and where it is, bool[rows]."""

    kind: str
    values: Floats
    at: npt.NDArray[np.bool_]


def injected(values: Floats, scale: Floats) -> list[Fault]:
    """Return shifts, ramps, growing noise and partings (a channel goes against the rest) put on the latter half.

    Each is on one to three channels; `scale`, f8[channels].
    """
    random = np.random.default_rng(0)
    rows, count = values.shape
    begin = rows // 2
    at = np.arange(rows) >= begin
    ramp = np.clip((np.arange(rows) - begin) / max(rows - begin - 1, 1), 0.0, 1.0)
    usual = np.median(values, axis=0)
    found = []
    for kind in ("shift", "ramp", "noise", "parting"):
        for _ in range(_EACH):
            chosen = random.choice(count, size=int(random.integers(1, min(3, count) + 1)), replace=False)
            sign = random.choice((-1.0, 1.0), size=len(chosen))
            mine = scale[chosen]
            spoilt = values.copy()
            if kind == "shift":
                spoilt[:, chosen] += at[:, None] * (SIZE * sign * mine)
            elif kind == "ramp":
                spoilt[:, chosen] += ramp[:, None] * (2.0 * SIZE * sign * mine)
            elif kind == "noise":
                spoilt[:, chosen] += ramp[:, None] * (2.0 * SIZE * mine) * random.normal(size=(rows, len(chosen)))
            else:
                spoilt[begin:, chosen] = 2.0 * usual[chosen] - spoilt[begin:, chosen] + SIZE * sign * mine
            found.append(Fault(kind, spoilt, at))
    return found
