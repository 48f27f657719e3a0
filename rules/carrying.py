"""Carry what a second set of rules has learnt into the state that it takes over from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rules.persistence import Notes

State = dict[str, npt.NDArray[Any]]


def joined(first: Mapping[str, npt.NDArray[Any]], second: Mapping[str, npt.NDArray[Any]]) -> State:
    """Join the states of two evaluators over the same points: the first's, and what only the second has.

    Its windows go on full, its delays go on running. What it had raised is at rest with its delay served: so it is
    raised at the next tick, and told as an alarm like any other. Raise ValueError on arrays that are no state.
    """
    state = dict(first)
    for name, array in second.items():
        if name.startswith("window."):
            prefix, _, figure = name.rpartition(".")
            state[f"{prefix}~.{figure}" if f"{prefix}.index" in first else name] = array
    known = {key.tobytes() for key in np.ascontiguousarray(first["instance.key"])}
    keys = np.ascontiguousarray(second["instance.key"])
    new = np.array([key.tobytes() not in known for key in keys], np.bool_)
    nothing: dict[str, Any] = {"current": 0, "by_simulation": False, "real": 0, "calm_since": np.nan}
    for name in ("key", "held_since", *nothing):
        array = second[f"instance.{name}"][new]
        if name in nothing:
            array = np.full_like(array, nothing[name])
        state[f"instance.{name}"] = np.concatenate((first[f"instance.{name}"], array))
    try:
        mine, theirs = (msgspec.msgpack.decode(one["notes"].tobytes(), type=Notes) for one in (first, second))
    except msgspec.DecodeError as error:
        raise ValueError(f"not a state of rules: {error}") from error
    have = {(one.kind, one.area, one.simulated) for one in mine.sightings}
    sightings = [one for one in theirs.sightings if (one.kind, one.area, one.simulated) not in have]
    notes = msgspec.structs.replace(mine, sightings=[*mine.sightings, *sightings])
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes), np.uint8).copy()
    return state
