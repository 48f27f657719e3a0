"""The Frigate dialect: what an installation tracks and reviews, whether it runs, and whether it gets pictures.

- `<prefix>/events`: `{"type": "new" | "update" | "end", "before": …, "after": {id, camera, label, frame_time, …}}`. The
  label is the event's kind. An event that Frigate itself still calls a false positive is counted and left.
  `after.simulated` marks what a simulator sent. Where the site gives a zone a `dwell`, an object that is in it for
  longer is an event of the kind `loitering` as well.
- `<prefix>/reviews`: the same frame around `{id, camera, start_time, severity, data: {objects, zones, …}}`; the
  severity, `alert` or `detection`, is the kind.
- `<prefix>/available`: `online`, `stopped` or `offline` (its last will), said of all its cameras.
- `<prefix>/<camera>/status/<role>`: `online`, `offline` or `disabled`: loss of the picture, each role for itself.

A camera is found by a `frigate:` name among its `sources`, its `source` or its id; events go to every area it serves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.dialects import cameras, dwell, presence, values
from sensors.dialects.dialect import (
    MISSING,
    Decoded,
    Inherited,
    Lane,
    Left,
    Refusal,
    Refused,
    Route,
    decode_each,
    nothing,
)
from sensors.dialects.dwell import Dwell
from sensors.lookup import Registry
from sensors.observation import GOOD, SIMULATED, CameraEvent, Said
from sensors.site import Camera, Frigate

REVIEWS = "reviews"
AVAILABLE = "available"


class Status(NamedTuple):
    """A topic that tells whether a camera's stream of one role arrives."""

    camera: str  # as Frigate names it
    role: str  # detect | record | audio


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


class Found(msgspec.Struct, gc=False):
    """What a review is about; sub-labels are left, they come in several forms."""

    objects: list[str] = []
    audio: list[str] = []
    zones: list[str] = []


class Reviewed(msgspec.Struct, gc=False):
    """A review item's newest state."""

    id: str
    camera: str
    severity: Literal["alert", "detection"]
    start_time: float | None = None
    end_time: float | None = None
    data: Found | None = None


class Review(msgspec.Struct, gc=False):
    """One message on `<prefix>/reviews`."""

    type: Literal["new", "update", "end"]
    after: Reviewed


_event = msgspec.json.Decoder(Event).decode
_review = msgspec.json.Decoder(Review).decode


def topics(config: Frigate) -> tuple[str, ...]:
    """List the filters of the installation."""
    prefix = config.prefix
    return (f"{prefix}/events", f"{prefix}/{REVIEWS}", f"{prefix}/{AVAILABLE}", f"{prefix}/+/status/+")


def resolve(topic: str, config: Frigate, registry: Registry) -> Route | Refusal | None:
    """Say what a topic of the installation carries: events without a subject, all else with one."""
    if not topic.startswith(config.prefix + "/"):
        return None
    match topic[len(config.prefix) + 1 :].split("/"):
        case ["events"]:
            return Route("event")
        case ["reviews" | "available" as what]:
            return Route("event", subject=what)
        case [name, "status", role] if name and role:
            if _camera(registry, name) is None:
                return Refusal("unknown_camera", f"no camera {name[:128]!r}")
            return Route("event", subject=Status(name, role))
    return None


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode messages; what is seen goes to every area that the camera serves."""
    decoded = nothing()
    others = np.flatnonzero(points != MISSING)
    if not len(others):
        _events(lane, range(len(payloads)), payloads, received, decoded)
        return decoded
    places = np.flatnonzero(points == MISSING).tolist()
    _events(lane, places, [payloads[place] for place in places], received, decoded)
    for place in others.tolist():
        try:
            said = _other(lane, lane.subjects[points[place]], payloads[place], received)
        except Left as left:
            decoded.refused.append(Refused(place, left.reason, left.detail))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            decoded.refused.append(Refused(place, values.reason_of(payloads[place], error), str(error)[:200]))
        else:
            decoded.events += [(place, one) for one in said]
    decoded.events.sort(key=lambda event: event[0])
    return decoded


def succeed(lane: Lane, old: Lane) -> Inherited:
    """Take over how long objects have been in zones."""
    if Dwell in old.cache:
        Dwell.of(lane.cache, lane.config.dwell).succeed(old.cache[Dwell])
    return Inherited()


def _events(lane: Lane, places: Sequence[int], payloads: Sequence[bytes], received: float, decoded: Decoded) -> None:
    config: Frigate = lane.config
    items, errors = decode_each(_event, payloads)
    named: dict[str, Camera | None] = {}
    for at, (place, item) in enumerate(zip(places, items, strict=True)):
        if item is None:
            error = errors.get(at, ValueError("not an event"))
            decoded.refused.append(Refused(place, values.reason_of(payloads[at], error), str(error)[:200]))
            continue
        after: After = item.after
        if after.camera not in named:
            named[after.camera] = _camera(lane.registry, after.camera)
        camera = named[after.camera]
        if camera is None:
            decoded.refused.append(Refused(place, "unknown_camera", f"no camera {after.camera[:128]!r}"))
        elif after.false_positive:
            decoded.refused.append(Refused(place, "false_positive", after.id[:128]))
        else:
            seen = event(after, item.type, camera, received)
            decoded.events += [(place, one) for one in seen]
            if config.dwell or Dwell in lane.cache:
                decoded.events += [(place, one) for one in _loitering(lane, after, item.type, camera, seen[0])]


def event(after: After, phase: str, camera: Camera, received: float) -> list[CameraEvent]:
    """Make the observations of one tracked object, one for each area of its camera."""
    moments: tuple[Any, ...] = (after.frame_time, after.start_time)
    if phase == "end":
        moments = (after.end_time, *moments)
    return cameras.seen(
        camera,
        kind=after.label,
        event=after.id,
        time=next((moment for moment in moments if moment is not None), math.nan),
        received=received,
        phase=phase,
        confidence=after.top_score if after.top_score is not None else after.score,
        zones=(*after.entered_zones, *after.current_zones),
        quality=SIMULATED if after.simulated else GOOD,
    )


def _loitering(lane: Lane, after: After, phase: str, camera: Camera, told: Said) -> list[CameraEvent]:
    """Make events of an object that is longer in a zone than the site says."""
    held, id = Dwell.of(lane.cache, lane.config.dwell), after.id[: cameras.LONGEST_ID]
    time = told.received if math.isnan(told.time) else told.time
    return [
        one
        for zone, stands in held.take(id, after.current_zones, time, is_over=phase == "end")
        for one in cameras.seen(
            camera,
            kind=dwell.KIND,
            event=after.id,
            time=told.time,
            received=told.received,
            phase=stands,
            confidence=after.top_score if after.top_score is not None else after.score,
            zones=(zone,),
            detail=after.label,
            quality=told.quality,
        )
    ]


def _other(lane: Lane, subject: str | Status, payload: bytes, received: float) -> Sequence[Said]:
    if subject == REVIEWS:
        return _reviewed(lane.registry, _review(payload), received)
    word = payload[:32].strip().lower()
    if isinstance(subject, Status):
        return [_status(lane.registry, subject, word, received)]
    if word not in (b"online", b"offline", b"stopped"):
        raise ValueError("neither online, offline nor stopped")
    config: Frigate = lane.config
    said = presence.of_cameras(
        watched(config, lane.registry),
        f"frigate:{config.prefix}",
        "online" if word == b"online" else "offline",
        received,
    )
    if not said:
        raise Left("ignored", "the installation has no cameras here")
    return said


def watched(config: Frigate, registry: Registry) -> list[Camera]:
    """List the cameras that an installation watches: those the site names, else those of no other dialect."""
    if config.cameras:
        return [camera for id in config.cameras if (camera := registry.camera(id)) is not None]
    return [
        camera
        for camera in registry.site.cameras
        if not camera.sources or any(name.startswith("frigate:") for name in camera.sources)
    ]


def _reviewed(registry: Registry, message: Review, received: float) -> Sequence[Said]:
    after = message.after
    camera = _camera(registry, after.camera)
    if camera is None:
        raise Left("unknown_camera", f"no camera {after.camera[:128]!r}")
    found = after.data or Found()
    time = after.end_time if message.type == "end" and after.end_time is not None else after.start_time
    return cameras.seen(
        camera,
        kind=after.severity,
        event=after.id,
        time=math.nan if time is None else time,
        received=received,
        phase=message.type,
        zones=found.zones,
        detail=", ".join(dict.fromkeys((*found.objects, *found.audio))),
    )


def _status(registry: Registry, subject: Status, word: bytes, received: float) -> Said:
    camera = _camera(registry, subject.camera)
    if camera is None:
        raise Left("unknown_camera", f"no camera {subject.camera[:128]!r}")
    if word not in (b"online", b"offline", b"disabled"):
        raise ValueError("neither online, offline nor disabled")
    faults = {"loss": 1.0} if word == b"offline" else {}
    source = f"frigate:{subject.role}"
    return cameras.health(camera, source, faults, received, judged=word != b"disabled")


def _camera(registry: Registry, name: str) -> Camera | None:
    return registry.camera_named("frigate", name)
