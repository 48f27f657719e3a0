"""What dialects say of cameras: events, for each area that one serves; faults of its picture; whether it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sensors.observation import GOOD, CameraEvent, CameraHealth
from sensors.site import Camera

LONGEST_ID = 256
LONGEST_DETAIL = 500
MOST_ZONES = 32


def seen(
    camera: Camera,
    *,
    kind: str,
    event: str,
    time: float,
    received: float,
    phase: str = "new",
    confidence: float | None = None,
    zones: Iterable[str] = (),
    level: str = "",
    detail: str = "",
    quality: int = GOOD,
) -> list[CameraEvent]:
    """Make the event for every area that the camera serves, what the source wrote cut to its longest.

    `time` and `received` are unix seconds, `time` NaN where the source gave none; `confidence` outside 0..1 is left.
    """
    held = tuple(zone[:LONGEST_ID] for zone in dict.fromkeys(zones))[:MOST_ZONES]
    sure = confidence if confidence is not None and 0.0 <= confidence <= 1.0 else None
    return [
        CameraEvent(
            area=area,
            camera=camera.id,
            kind=kind[:LONGEST_ID],
            event=event[:LONGEST_ID],
            time=time,
            received=received,
            phase=phase,
            confidence=sure,
            zones=held,
            level=level,
            detail=detail[:LONGEST_DETAIL],
            quality=quality,
        )
        for area in dict.fromkeys(camera.areas)
    ]


def health(
    camera: Camera, source: str, faults: Mapping[str, float], received: float, *, judged: bool = True
) -> CameraHealth:
    """Say what `source` finds wrong with a camera's picture; no faults: nothing (any more).

    It is what holds when it is heard, so that is its time: what ends a fault often has no time of its own, and a
    camera's clock that is behind would then keep its next fault from being believed.
    """
    return CameraHealth(
        area=camera.areas[0],
        camera=camera.id,
        time=received,
        received=received,
        faults=dict(faults),
        judged=judged,
        source=source[:LONGEST_ID],
    )
