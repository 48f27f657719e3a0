"""Novelty of range: how far outside everything seen lately, in units of that range.

The memory is two generations of minimum and maximum, the running one and the one before, so it reaches back one to two
generations in O(1) space. Beats z-scores on streaming benchmarks because it needs no distribution at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arithmetic import NOWHERE, Arithmetic, Column

Floats = npt.NDArray[np.float64]

NARROW = 1e-9
"""Of a reading: no range is narrower, and what is no further outside is inside: a float's last bits are no news."""
TINIEST = 1e-300
"""The narrowest range about zero."""
UTMOST = 100.0  # an excess is not told larger than this


class Memory(NamedTuple):
    """Hold the range of one stream: running generation and the one before."""

    low: Column
    high: Column
    before_low: Column
    before_high: Column


class Novelty(NamedTuple):
    """Say how new a reading is."""

    excess: Column  # 0 inside the range, else the distance outside in units of the range
    place: Column  # 0..1: distance from the centre in units of the range
    low: Column  # the range that was compared with
    high: Column


class News(NamedTuple):
    """Say how new a reading is by that of its streams which is newest, and which range each was compared with."""

    excess: Column
    place: Column
    low: Column  # one item a stream
    high: Column


class Stay(NamedTuple):
    """Follow a stay outside the range that held before it: the old range, and the ranges of the streams since."""

    low: Column
    high: Column
    value_low: Column
    value_high: Column
    short_low: Column
    short_high: Column
    change_low: Column
    change_high: Column


def turn(op: type[Arithmetic], memory: Memory, over: Column) -> Memory:
    """Start a new generation where `over`."""
    return Memory(
        op.where(over, NOWHERE, memory.low),
        op.where(over, -NOWHERE, memory.high),
        op.where(over, memory.low, memory.before_low),
        op.where(over, memory.high, memory.before_high),
    )


def narrowest(op: type[Arithmetic], value: Column) -> Column:
    """Return the narrowest range of the streams of a reading, in its unit: its mean and change share its last bits."""
    return op.most(op.size(value) * NARROW, TINIEST)


def compare(op: type[Arithmetic], memory: Memory, x: Column, centre: Column, least: Column) -> Novelty:
    """Compare `x` with what the memory holds (never with itself).

    `centre` is where the stream usually is, `least` how narrow its range can be (`narrowest`).
    """
    low = op.least(memory.low, memory.before_low)
    high = op.most(memory.high, memory.before_high)
    scale = 1.0 / op.most(high - low, least)
    beyond = _beyond(op, x, low, high, least)
    place = op.least(op.size(x - centre) * scale, 1.0)
    return Novelty(op.least(beyond * scale, UTMOST), place, low, high)


def excess(op: type[Arithmetic], x: Column, low: Column, high: Column, least: Column) -> Column:
    """Return the excess of `x` over a range, to the bits of `compare`."""
    return op.least(_beyond(op, x, low, high, least) * (1.0 / op.most(high - low, least)), UTMOST)


def compare_many(
    lows: Floats, highs: Floats, before_lows: Floats, before_highs: Floats,
    streams: tuple[Floats, Floats, Floats], centre: Floats, least: Floats,
) -> News:  # fmt: skip
    """Compare the streams (f8[n] each) of a batch at once with ranges (f8[3, n] each), then remember them there.

    The same bits as `compare` of each, the largest of the three. Few are outside: the excess is worked out for those.
    """
    x = np.array(streams)
    low, high = np.minimum(lows, before_lows), np.maximum(highs, before_highs)
    scale = 1.0 / np.maximum(high - low, least)
    off = np.empty_like(x)
    np.subtract(x[:2], centre, out=off[:2])
    off[2] = x[2]
    np.absolute(off, out=off)
    off *= scale
    place = np.minimum(np.maximum(np.maximum(off[0], off[1]), off[2]), 1.0)
    beyond = np.maximum(x - high, low - x)
    new = beyond > least
    excess = np.zeros(len(place))
    at = (new[0] | new[1] | new[2]).nonzero()[0]
    if len(at):
        far = np.where(new.take(at, axis=1), beyond.take(at, axis=1), 0.0) * scale.take(at, axis=1)
        excess[at] = np.minimum(np.maximum(np.maximum(far[0], far[1]), far[2]), UTMOST)
    np.minimum(lows, x, out=lows)
    np.maximum(highs, x, out=highs)
    return News(excess, place, low, high)


def outside(op: type[Arithmetic], x: Column, low: Column, high: Column, least: Column) -> Column:
    """Return how far `x` is outside a range, in units of that range; 0 inside. `least`: as in `compare`."""
    return op.least(_beyond(op, x, low, high, least) / op.most(high - low, least), UTMOST)


def _beyond(op: type[Arithmetic], x: Column, low: Column, high: Column, least: Column) -> Column:
    beyond = op.most(x - high, low - x)
    return op.where(beyond > least, beyond, 0.0)


def remember(op: type[Arithmetic], memory: Memory, x: Column) -> Memory:
    """Add `x` to the running generation."""
    low, high, before_low, before_high = memory
    return Memory(op.least(low, x), op.most(high, x), before_low, before_high)


def trim(op: type[Arithmetic], memory: Memory, low: Column, high: Column, reach: float) -> Memory:
    """Keep no more beyond what was the range, `low` to `high`, than `reach` times its width; of no width: all."""
    width = high - low
    far = op.where(width > 0.0, width * reach, NOWHERE)
    lowest, highest = low - far, high + far
    return Memory(
        op.most(memory.low, lowest),
        op.least(memory.high, highest),
        op.most(memory.before_low, lowest),
        op.least(memory.before_high, highest),
    )


def follow(
    op: type[Arithmetic],
    stay: Stay,
    streams: tuple[Column, Column, Column],
    low: Column,
    high: Column,
    lasted: Column,
    step: Column,
) -> tuple[Stay, Column]:
    """Return the stay after a reading, and the seconds it has lasted (0: it is over).

    `streams`: value, short mean, change. `low`, `high`: the memory's range before the reading, which the value must
    leave for a stay to begin. `step`: seconds that this reading adds.
    """
    fresh = lasted == 0.0
    old_low, old_high = op.where(fresh, low, stay.low), op.where(fresh, high, stay.high)
    x = streams[0]
    away = op.either(x < old_low, x > old_high)
    lasted = op.where(away, lasted + step, 0.0)
    bounds = op.widened(fresh, stay[2::2], stay[3::2], streams)
    return Stay(old_low, old_high, *bounds), lasted
