"""How cameras fare."""

from __future__ import annotations

from alerts.console.schema.base import Answer
from alerts.console.schema.site import Health


class Fare(Answer):
    """Troubles within the span. `in_order` is 0..1, null where nothing was ever heard; `time_to_repair` the mean in
    seconds of those that ended.
    """

    in_order: float | None
    troubles: int
    repairs: int
    time_to_repair: float | None


class CameraFare(Fare):
    """How one camera fares; `troubled`: an alarm of data quality about it stands."""

    camera: str
    area: str
    supplier: str
    state: Health
    troubled: bool


class CamerasFare(Fare):
    """How the cameras of an area or supplier fare; `online` of them are live, `troubled` have an alarm."""

    name: str
    cameras: int
    online: int
    troubled: int


class CameraOperations(Answer):
    """How all cameras fare between two unix times, the worst first."""

    since: float
    until: float
    cameras: list[CameraFare]
    areas: list[CamerasFare]
    suppliers: list[CamerasFare]
