"""What every reading and event has to pass, whichever way it came: stamps, rates, clocks, ranges and ages.

The bridge, pushes over HTTP and replays of the quarantine all ask here. No I/O; time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from sensors import age
from sensors.camera_clocks import CameraClocks
from sensors.clocks import Clocks
from sensors.dialects.dialect import Decoded, Refused, without
from sensors.flood import Floods
from sensors.lookup import Registry
from sensors.observation import HISTORICAL, LATE, CameraEvent, Said
from sensors.quality import CHECKS, Inspector
from sensors.tellers import Tellers


@dataclass(slots=True)
class Passed:
    """Hold what passed every check, readings and events stamped, and what was refused, message by message.

    `surplus` are the messages of readings (one for each) and events of a flood, of which nothing is kept. `overdue` are
    states that a flood before had held back.
    """

    decoded: Decoded
    refused: list[Refused]
    surplus: list[int]
    overdue: list[Said]


class Checks:
    """Hold what the checks of one site remember: rates, clocks, stamps."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._floods = Floods(registry)
        self._tellers = Tellers(registry)
        self._inspector = Inspector(registry)
        self._cameras = CameraClocks(registry)

    def succeed(self, other: Checks) -> None:
        """Go on with what the checks of an earlier version of the site remember."""
        self._floods.succeed(other._floods)
        self._tellers.succeed(other._tellers)
        self._inspector.succeed(other._inspector)
        self._cameras.succeed(other._cameras)

    def check(self, decoded: Decoded, received: float, *, stored: Collection[int] = (), flood: bool = True) -> Passed:
        """Stamp and check what was decoded of messages that arrived by `received` (unix seconds).

        `stored` are the places of messages that are the broker's stored copies. Without `flood` nothing is too much: of
        what is decoded anew, the times of arrival say nothing of how often it is sent.
        """
        passed = Passed(decoded, [], [], self._tellers.release(received) if flood else [])
        if stored and len(decoded):
            self._leave_out_undated(passed, stored)
        if len(passed.decoded):
            self._inspector.stamp(passed.decoded, received)
            if flood:
                self._leave_out_flood(passed, received)
        if len(passed.decoded):
            bad = self._inspector.inspect(passed.decoded, received)
            if bad is not None:
                self._leave_out_bad(passed, bad, received)
        if flood and self._tellers.holds and len(passed.decoded):
            fresh = (passed.decoded.quality & (HISTORICAL | LATE)) == 0  # what was read long ago says nothing of now
            self._tellers.heard(passed.decoded.point[fresh].tolist())
        if decoded.events:
            self._events(passed, received, frozenset(stored), flood)
        return passed

    def is_due(self, received: float) -> bool:
        """Tell whether states that a flood had held back are to be told now."""
        return self._tellers.is_due(received)

    def close(self) -> None:
        """Make all that is held back due now."""
        self._tellers.close()

    @property
    def clocks(self) -> Clocks:
        """Tell of the points' clocks."""
        return self._inspector.clocks

    @property
    def camera_clocks(self) -> CameraClocks:
        """Tell of the cameras' clocks."""
        return self._cameras

    def take_notes(self) -> list[str]:
        """Take what has been found of clocks since the last call, a sentence each."""
        return [*self.clocks.take_notes(), *self._cameras.take_notes()]

    def _leave_out_undated(self, passed: Passed, stored: Collection[int]) -> None:
        """Leave out stored copies without a time of their own: stamped on arrival, an old value would look fresh."""
        decoded = passed.decoded
        undated = np.isnan(decoded.time)
        if decoded.relative:
            undated |= np.isin(decoded.message, decoded.relative)
        rows = np.flatnonzero(np.isin(decoded.message, list(stored)) & undated)
        if len(rows):
            for place, count in zip(*np.unique(decoded.message[rows], return_counts=True), strict=True):
                passed.refused.append(Refused(int(place), "retained", "a stored copy that has no time", int(count)))
            passed.decoded = without(decoded, rows.tolist())

    def _leave_out_flood(self, passed: Passed, received: float) -> None:
        """Leave out what is too much of a point; of each point and window one is named, the rest is counted."""
        decoded = passed.decoded
        surplus = self._floods.surplus(decoded, received)
        if surplus is None:
            return
        for row in surplus.first.tolist():
            point = self._registry.by_index[int(decoded.point[row])]
            detail = f"{point.id}: far more than a reading in {point.interval:g} s; what follows is counted"
            passed.refused.append(Refused(int(decoded.message[row]), "flood", detail))
        passed.surplus += decoded.message[np.setdiff1d(surplus.places, surplus.first)].tolist()
        passed.decoded = without(decoded, surplus.places.tolist())

    def _leave_out_bad(self, passed: Passed, bad: npt.NDArray[np.uint8], received: float) -> None:
        decoded = passed.decoded
        rows = np.flatnonzero(bad)
        keys = decoded.message[rows] * (len(CHECKS) + 1) + bad[rows]
        for first, count in zip(*np.unique(keys, return_index=True, return_counts=True)[1:], strict=True):
            row = int(rows[first])
            reason = CHECKS[bad[row] - 1]
            point = self._registry.by_index[int(decoded.point[row])].id
            ahead = float(decoded.time[row]) - received
            what = f"value {decoded.value[row]}" if reason == "not_finite" else age.against(ahead)
            passed.refused.append(Refused(int(decoded.message[row]), reason, f"{point}: {what}", int(count)))
        passed.decoded = without(decoded, rows.tolist())

    def _events(self, passed: Passed, received: float, stored: Collection[int], flood: bool) -> None:
        told = []
        for place, said in self._cameras.follow(passed.decoded.events, received, stored):
            checked = self._event(said, received, place in stored)
            if isinstance(checked, tuple):
                passed.refused.append(Refused(place, *checked))
            else:
                told.append((place, checked))
        if flood:
            judged = self._tellers.judge(told, received)
            for place, who in judged.first:
                detail = f"{who} tells far too much; what follows is counted"
                passed.refused.append(Refused(place, "flood", detail))
            passed.surplus += judged.surplus
            told = judged.passed
        passed.decoded.events = told

    def _event(self, event: Said, received: float, stored: bool) -> Said | tuple[str, str]:
        """Check and stamp one observation; give it, or (reason, detail) why it is refused.

        What a camera saw long ago and the broker has `stored` is history: it tells nothing about now, and must not
        raise an alarm because somebody has connected. A state (of a source, of a picture) holds until it changes.
        """
        site = self._registry.site
        if math.isnan(event.time):
            if stored:
                return "retained", "a stored copy that has no time"
            event = msgspec.structs.replace(event, time=received)
        ahead = event.time - received
        if not -site.accept_age <= ahead <= site.accept_ahead:
            return "future" if ahead > 0 else "ancient", age.against(ahead)
        if ahead < -site.late_after:
            bits = LATE | HISTORICAL if stored and isinstance(event, CameraEvent) else LATE
            return msgspec.structs.replace(event, quality=event.quality | bits)
        return event
