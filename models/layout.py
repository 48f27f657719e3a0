"""Where the numbers of a row stand: those that every reading moves, those that few do, and how older states had them.

What every reading moves is written back by each batch, the rest only of the rows where something of it changed. Flags
and kind are bits of one number, so that one look tells whether a row is more than a plain gauge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models import creep, novelty
from models.residual import LARGEST
from models.season import MEAN, WEEKS, WIDTH

Floats = npt.NDArray[np.float64]

MOVING, DRIFTING, CREEPS, SWINGS, KIND = 1, 2, 4, 8, 16
"""Parts of `flags`: its two slopes stand out, it is watched for failing, it has a daily swing; times its kind."""

RECENT = 12
"""Last values that a row keeps, for what shape a surprise has: as steps from one to the next."""

STREAMS = ("value", "short", "change")
FIELDS = (
    *("last_time", "last_value", "flat_since", "flat_longest", "seen", "short", "long"),
    *(f"{stream}_low" for stream in STREAMS),
    *(f"{stream}_high" for stream in STREAMS),
    *("level", "slope", "drift", "noise", "trend_count", "bend", "readings", "often", "seldom"),
    *("stay_lasted", "flags"),
)
"""What every reading moves."""
SLOW = (
    *("turned", "turned_before"),
    *(f"{stream}_before_low" for stream in STREAMS),
    *(f"{stream}_before_high" for stream in STREAMS),
    *("reference", "events", "peak", "peak_time", "beyond_time", "spent"),
    *("interval", "period", "budget"),
)
"""What few readings move."""
AT = {name: place for place, name in enumerate(FIELDS)}
SLOW_AT = {name: place for place, name in enumerate(SLOW)}
LOWS, HIGHS = (slice(AT[f"value_{side}"], AT[f"change_{side}"] + 1) for side in ("low", "high"))
BEFORE_LOWS, BEFORE_HIGHS = (
    slice(SLOW_AT[f"value_before_{side}"], SLOW_AT[f"change_before_{side}"] + 1) for side in ("low", "high")
)
STAY_FIELDS = novelty.Stay._fields
CREEP_FIELDS = creep.Creep._fields
REASON_FIELDS = ("code", "time", "value", "low", "high", "since", "score")

EARLIER = (
    *("last_time", "last_value", "flat_since", "interval", "kind", "period", "seen", "turned", "turned_before"),
    *("reference", "short", "long"),
    *(f"{stream}_{bound}" for stream in STREAMS for bound in ("low", "high", "before_low", "before_high")),
    *("level", "slope", "drift", "noise", "trend_count", "moving", "drifting", "bend"),
    *("events", "readings", "peak", "peak_time", "stay_lasted", "beyond_time", "marks"),
    *("often", "seldom", "budget", "flat_longest", "spent"),
)
"""Fields of states that have no `slow` array, in their order; only ever added to at the end."""
OLDEST = EARLIER.index("often")
"""Fields that the oldest state to be restored has."""


def modern(state: Mapping[str, npt.NDArray[Any]], blank: Floats) -> dict[str, npt.NDArray[Any]]:
    """Return a bank's state in the present layout.

    What an older one lacks begins as in a new row (`blank`, f8[FIELDS + SLOW]); nor has it the last values, of which no
    shape is told until there are some. Arrays of no known layout are left as they are.
    """
    state = dict(state)
    season = state.get("season")
    if season is not None and season.ndim == 2 and season.shape[1] in (MEAN, WEEKS):  # before residuals, or weeks
        state["season"] = np.zeros((len(season), WIDTH), np.float32)
        state["season"][:, : season.shape[1]] = np.minimum(season, LARGEST * LARGEST)
        state["season"][:, WEEKS:] = (-LARGEST, LARGEST) * 2  # until four weeks are known
        state["origin"] = np.zeros((len(season), 1))
    fields = state.get("fields")
    if "slow" in state or fields is None or fields.ndim != 2 or not OLDEST <= fields.shape[1] <= len(EARLIER):
        return state
    rows = len(fields)
    known = dict(zip(EARLIER, fields.T, strict=False))
    known["flags"] = (
        known["kind"] * KIND + known["marks"] * CREEPS + (known["moving"] > 0.0) + (known["drifting"] > 0.0) * DRIFTING
    )
    told = [known.get(name, np.full(rows, new)) for name, new in zip((*FIELDS, *SLOW), blank.tolist(), strict=True)]
    both = np.array(told).reshape(len(told), rows).T
    state["fields"], state["slow"] = both[:, : len(FIELDS)].copy(), both[:, len(FIELDS) :].copy()
    steps = np.full((rows, RECENT), np.nan, np.float32)
    if "recent" in state:  # a ring of values, the latest at the place before `seen`
        each = np.arange(rows)[:, None]
        at = (known["seen"].astype(np.intp)[:, None] + np.arange(RECENT)) % RECENT
        values = state["recent"][each, at]
        with np.errstate(over="ignore"):
            steps[each, at[:, 1:]] = values[:, 1:] - values[:, :-1]
    state["recent"] = steps
    if "stage" not in state:
        state["stage"] = np.zeros((rows, 1), np.uint8)
    return state
