"""Carry what a second set of rules has learnt into the state that it takes over from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rules.persistence import Notes

State = dict[str, npt.NDArray[Any]]


def with_windows(first: Mapping[str, npt.NDArray[Any]], second: Mapping[str, npt.NDArray[Any]]) -> State:
    """Return the second's state with the windows of the first as well: those that both need only the first keeps."""
    state = dict(second)
    for name, array in first.items():
        if name.startswith("window."):
            prefix, _, figure = name.rpartition(".")
            state[f"{prefix}~.{figure}" if f"{prefix}.index" in second else name] = array
    return state


def joined(first: Mapping[str, npt.NDArray[Any]], second: Mapping[str, npt.NDArray[Any]]) -> State:
    """Give the state with which the second's rules take the place of the first's, both over the same points.

    All that the second remembers goes on: windows, delays, counts, order, forecasts. What the first has raised stays
    so. What the second alone had raised is at rest with its delay served: so it is raised at the next tick, and told as
    an alarm like any other. Raise ValueError on arrays that are no state.
    """
    state = with_windows(first, second)
    known = {key.tobytes() for key in np.ascontiguousarray(first["instance.key"])}
    keys = np.ascontiguousarray(second["instance.key"])
    new = np.array([key.tobytes() not in known for key in keys], np.bool_)
    at_rest: dict[str, Any] = {"current": 0, "by_simulation": False, "real": 0, "calm_since": np.nan}
    names = {name for name in (*first, *second) if name.startswith("instance.")} - {"instance.unseen"}
    for name in sorted(names):
        sample = first[name] if name in first else second[name]
        mine, theirs = (
            side.get(name, np.zeros((len(side["instance.key"]), *sample.shape[1:]), sample.dtype))
            for side in (first, second)
        )
        rest = at_rest.get(name.removeprefix("instance."))
        theirs = theirs[new] if rest is None else np.full_like(theirs[new], rest)
        state[name] = np.concatenate((mine, theirs))
    try:
        raised, notes = (msgspec.msgpack.decode(one["notes"].tobytes(), type=Notes) for one in (first, second))
    except msgspec.DecodeError as error:
        raise ValueError(f"not a state of rules: {error}") from error
    # its places are those of the first, which come first
    notes = msgspec.structs.replace(notes, raised=raised.raised, others=raised.others, levels=raised.levels)
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes), np.uint8).copy()
    return state
