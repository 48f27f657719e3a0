"""Clock skew, range and lateness: what is refused and what is flagged, for columns of readings at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sensors.clocks import Clocks
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.observation import LATE, OUT_OF_RANGE

CHECKS = ("not_finite", "future", "ancient")
"""Reasons for which `Inspector.inspect` refuses, in the order in which they are looked for."""


class Inspector:
    """Hold every point's limits as arrays by registry index."""

    def __init__(self, registry: Registry) -> None:
        site = registry.site
        size = max(registry.by_index, default=-1) + 1
        self._low = np.full(size, -np.inf)
        self._high = np.full(size, np.inf)
        self._accept_age = np.full(size, site.accept_age)
        for index, point in registry.by_index.items():
            if point.range is not None:
                self._low[index], self._high[index] = point.range
            if point.accept_age is not None:
                self._accept_age[index] = point.accept_age
        self._least_age = float(self._accept_age.min(initial=site.accept_age))
        self._late_after = site.late_after
        self._accept_ahead = site.accept_ahead
        self._stamp = 0.0
        self.clocks = Clocks({index: point.id for index, point in registry.by_index.items()}, site.skew)

    def succeed(self, other: Inspector) -> None:
        """Go on after the stamps that another inspector gave, and with what it knows of clocks."""
        self._stamp = other._stamp
        self.clocks.succeed(other.clocks)

    def stamp(self, decoded: Decoded, received: float) -> None:
        """Give readings without a time (NaN) the time of arrival plus a microsecond each, in order.

        Stamps rise, over calls too and when the clock is set back a little. Set back by more than `accept_ahead`, they
        start anew from it: they would be refused as `future` otherwise.
        """
        missing = np.isnan(decoded.time)
        count = int(missing.sum())
        if count:
            if self._stamp - received > self._accept_ahead:
                self._stamp = 0.0
            # Unix seconds in a float64 step by 0.24 µs: a microsecond survives.
            start = max(received, self._stamp + 1e-6)
            decoded.time = decoded.time.copy()
            decoded.time[missing] = start + np.arange(count) * 1e-6
            self._stamp = start + count * 1e-6

    def inspect(self, decoded: Decoded, received: float) -> npt.NDArray[np.uint8] | None:
        """Set clocks right and flag readings in place; give each one's refusal: 0 none, else 1 + its place in CHECKS.

        None when all pass. Times must be stamped; they need not be finite.
        """
        value, point = decoded.value, decoded.point
        newest, oldest = float(decoded.time.max()), float(decoded.time.min())
        if self.clocks.follow(decoded, received, newest, oldest):
            newest, oldest = float(decoded.time.max()), float(decoded.time.min())
        time = decoded.time
        outside = (value < self._low[point]) | (value > self._high[point])
        if outside.any():
            decoded.quality = decoded.quality | outside.astype(np.uint8) * np.uint8(OUT_OF_RANGE)
        bad = None
        if not np.isfinite(value).all():
            bad = np.where(np.isfinite(value), 0, 1).astype(np.uint8)
        if newest > received + self._accept_ahead:
            bad = np.zeros(len(value), np.uint8) if bad is None else bad
            bad[(bad == 0) & (time > received + self._accept_ahead)] = 2
        if received - oldest > self._late_after:
            late = time < received - self._late_after
            decoded.quality = decoded.quality | late.astype(np.uint8) * np.uint8(LATE)
        if received - oldest > self._least_age:
            bad = np.zeros(len(value), np.uint8) if bad is None else bad
            bad[(bad == 0) & (time < received - self._accept_age[point])] = 3
        return bad if bad is not None and bad.any() else None
