"""Flags of a reading: its quality as it came, and what is found of it when it is taken in."""

from __future__ import annotations

from sensors.observation import (
    BAD,
    FLOOD,
    HISTORICAL,
    LATE,
    OUT_OF_RANGE,
    SIMULATED,
    SKEWED,
    UNCERTAIN,
)

DUPLICATE = 256  # of the same time as the point's last one
OUT_OF_ORDER = 512  # older than the point's last one
JUMP = 1024  # as if in another unit
STUCK = 2048  # while a rule says that the point is stuck
GAP = 4096  # the first after a gap
DISAGREES = 8192  # while the point disagrees with its redundant ones

EARLY = 16384
"""An early event of the models, counted against the budget of its point. It says nothing of the reading's quality, so
it is not among `FLAGS`."""

ASIDE = BAD | OUT_OF_RANGE | DUPLICATE | OUT_OF_ORDER
"""A reading with any of these is kept and shown, and neither scored nor put to a rule of risk."""

FLAGS = {
    "duplicate": DUPLICATE,
    "out_of_order": OUT_OF_ORDER,
    "out_of_range": OUT_OF_RANGE,
    "late": LATE,
    "bad": BAD,
    "uncertain": UNCERTAIN,
    "historical": HISTORICAL,
    "skewed": SKEWED,
    "flood": FLOOD,
    "jump": JUMP,
    "stuck": STUCK,
    "gap": GAP,
    "disagrees": DISAGREES,
    "simulated": SIMULATED,
}
"""All flags by name; the bits are stored in the log."""

RULED = (
    *("duplicate", "out_of_order", "out_of_range", "late", "bad", "uncertain", "skewed", "flood", "jump", "gap"),
    "disagrees",
)
"""Flags that a rule can ask for, in the order in which snapshots keep when each was last seen: append only."""

RULED_BITS = sum(FLAGS[name] for name in RULED)


def names(flags: int) -> list[str]:
    """Name the flags that are set."""
    return [name for name, bit in FLAGS.items() if flags & bit]
