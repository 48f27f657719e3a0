"""The Frigate dialect: tracked objects on `<prefix>/events` become camera events.

`{"type": "new" | "update" | "end", "before": …, "after": {id, camera, label, frame_time, …}}`: the label is the event's
kind, the camera is matched by its `source` or id, and the event goes to every area that the camera serves. An event
that Frigate itself still calls a false positive is counted and left. `after.simulated` marks what a simulator sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.dialects import values
from sensors.dialects.dialect import Decoded, Lane, Refusal, Refused, Route, decode_each, nothing
from sensors.lookup import Registry
from sensors.observation import GOOD, SIMULATED, CameraEvent
from sensors.site import Frigate


class After(msgspec.Struct, gc=False):
    """The tracked object's newest state; what is not named here is left."""

    id: str
    camera: str
    label: str
    frame_time: float | None = None
    start_time: float | None = None
    end_time: float | None = None
    score: float | None = None
    top_score: float | None = None
    false_positive: bool | None = None
    current_zones: list[str] = []
    entered_zones: list[str] = []
    simulated: bool = False


class Event(msgspec.Struct, gc=False):
    """One message on `<prefix>/events`."""

    type: Literal["new", "update", "end"]
    after: After


_event = msgspec.json.Decoder(Event).decode


def topics(config: Frigate) -> tuple[str, ...]:
    """List the filter of the installation's events."""
    return (f"{config.prefix}/events",)


def resolve(topic: str, config: Frigate, registry: Registry) -> Route | Refusal | None:
    """Say that the events topic carries events."""
    return Route("event") if topic == f"{config.prefix}/events" else None


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode events, one for every area that the camera serves."""
    decoded = nothing()
    items, errors = decode_each(_event, payloads)
    for place, item in enumerate(items):
        if item is None:
            error = errors.get(place, ValueError("not an event"))
            decoded.refused.append(Refused(place, values.reason_of(payloads[place], error), str(error)[:200]))
            continue
        after: After = item.after
        camera = lane.registry.camera_of_source(after.camera) or lane.registry.camera(after.camera)
        if camera is None:
            decoded.refused.append(Refused(place, "unknown_camera", f"no camera {after.camera[:128]!r}"))
        elif after.false_positive:
            decoded.refused.append(Refused(place, "false_positive", after.id[:128]))
        else:
            decoded.events += [
                (place, event(after, item.type, camera.id, area, received)) for area in dict.fromkeys(camera.areas)
            ]
    return decoded


def event(after: After, phase: str, camera: str, area: str, received: float) -> CameraEvent:
    """Make the observation of one tracked object in one area."""
    moments: tuple[Any, ...] = (after.frame_time, after.start_time)
    if phase == "end":
        moments = (after.end_time, *moments)
    time = next((moment for moment in moments if moment is not None), received)
    confidence = after.top_score if after.top_score is not None else after.score
    return CameraEvent(
        area=area,
        camera=camera,
        kind=after.label,
        event=after.id,
        time=time,
        received=received,
        phase=phase,
        confidence=confidence,
        zones=tuple(dict.fromkeys((*after.entered_zones, *after.current_zones))),
        quality=SIMULATED if after.simulated else GOOD,
    )
