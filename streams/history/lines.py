"""Readings and alarms as lines of InfluxDB's line protocol, made in bulk from columns.

A point of InfluxDB is known by measurement, tags and time. All three come from what the log says, so that a line that
is written twice stands there once. Series are counted by their tags: one for each point of the site, and one for each
rule, area and scope that ever had an alarm. What changes from line to line is a field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from alerts.outcome import AlarmTransition
from sensors.flags import DUPLICATE
from sensors.lookup import Registry
from sensors.site import Site
from streams.history.columns import Scored

if TYPE_CHECKING:
    from streams.history.spans import Spans

READINGS = "readings"
"""Tags area (the point's first), point, quantity; fields value, score (0..1), flags. What is not known is left out."""

ALARMS = "alarms"
"""Tags area, rule, scope; fields of one edge of the alarm. Who did it and wrote what stays in the journal."""

NANO = 1_000_000_000
_TAG = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\=", "\n": " ", "\r": " "})
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\", "\n": " "})


def nanoseconds(time: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Turn unix seconds into whole nanoseconds, i8: `seconds` gives the same numbers back."""
    whole = np.floor(time)
    return whole.astype(np.int64) * NANO + np.rint((time - whole) * NANO).astype(np.int64)


def seconds(stamps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Turn nanoseconds since 1970 into unix seconds, f8."""
    found: npt.NDArray[np.float64] = (stamps // NANO).astype(np.float64) + (stamps % NANO) / NANO
    return found


class Naming:
    """What the points of a site are called in lines, and in which partition each is at home.

    A point of areas of several partitions is scored in each of them; it is told of once, from its first area's.
    """

    def __init__(self, site: Site) -> None:
        registry = Registry(site)
        count = max((point.index for point in site.points), default=-1) + 1
        self.ids = [""] * count
        self._heads = [""] * count
        self._home = np.full(count + 1, -1, np.int32)  # the last place is that of all beyond
        for point in site.points:
            tags = f"area={_tag(point.areas[0])},point={_tag(point.id)},quantity={_tag(point.quantity)}"
            self.ids[point.index] = point.id
            self._heads[point.index] = f"{READINGS},{tags}"
            self._home[point.index] = registry.partition(point.areas[0])

    def at_home(self, scored: Scored, partition: int) -> tuple[Scored, int]:
        """Take what a partition tells first-hand; and count the readings of points that the site does not have.

        What came for a time that its point had told of already would take that reading's place: it is in quarantine.
        """
        home = self._home[np.minimum(scored.point, len(self._home) - 1)]
        mine = home == partition
        if len(scored.flags):
            mine &= (scored.flags & DUPLICATE) == 0
        unknown = int(np.count_nonzero(home < 0))
        if mine.all():
            return scored, 0
        flags = scored.flags[mine] if len(scored.flags) else scored.flags
        return (
            Scored(scored.point[mine], scored.time[mine], scored.value[mine], scored.score[mine], flags),
            unknown,
        )

    def lines(self, scored: Scored) -> list[str]:
        """Write readings of known points, one line each."""
        flags = scored.flags.tolist() if len(scored.flags) else [0] * len(scored.point)
        value = np.where(np.isfinite(scored.value), scored.value, np.nan).tolist()
        score = np.where(np.isfinite(scored.score), scored.score, np.nan).tolist()
        heads = self._heads
        return [
            f"{heads[point]} {_fields(number, surprise, flag)} {stamp}"
            for point, stamp, number, surprise, flag in zip(
                scored.point.tolist(), nanoseconds(scored.time).tolist(), value, score, flags, strict=True
            )
        ]

    def span_lines(self, spans: Spans) -> list[str]:
        """Write minutes or hours of known points, one line each, as InfluxDB's own tasks sum them up."""
        mean = spans.sum / spans.counted
        columns = (spans.point, spans.begin, spans.low, spans.high, mean, spans.last, spans.counted, spans.score)
        return [
            f"{self._heads[point]} min={low!r},max={high!r},mean={middle!r},last={last!r},count={count}i"
            f"{f',score={score:.9g}' if score == score else ''} {stamp}"
            for point, stamp, low, high, middle, last, count, score in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


class Lines(NamedTuple):
    """Hold lines of readings and of alarms, and the time of the first reading in each hour (unix seconds)."""

    readings: Sequence[str]
    alarms: Sequence[str]
    firsts: Sequence[float] = ()


def alarm_lines(outcomes: Iterable[object]) -> list[str]:
    """Write the alarms' edges among outcomes, one line each.

    Edges of one alarm may fall on one moment, so the last three digits of a line's nanoseconds are its sequence.
    """
    found = []
    for one in outcomes:
        if not isinstance(one, AlarmTransition):
            continue
        stamp = round(one.time * 1e6) * 1000 + one.sequence % 1000
        texts = {
            "alarm": one.alarm,
            "edge": one.edge,
            "before": one.before,
            "after": one.after,
            "level": one.level,
            "kind": one.kind,
            "incident": one.incident or "",
            "rule_version": one.rule_version,
        }
        told = ",".join(f'{name}="{text.translate(_TEXT)}"' for name, text in texts.items())
        tags = f"area={_tag(one.area)},rule={_tag(one.rule)},scope={_tag(one.scope)}"
        simulated = "true" if one.simulated else "false"
        found.append(f"{ALARMS},{tags} {told},onset={one.onset!r},simulated={simulated} {stamp}")
    return found


def _tag(text: str) -> str:
    return text.translate(_TAG).rstrip("\\") or "-"  # an empty tag, or one that ends so, is none


def _fields(value: float, score: float, flags: int) -> str:
    """Write what is known of a reading; that it came is told by its flags where nothing else is."""
    if value == value:
        told = f"value={value!r}"
        if score == score:
            told += f",score={score:.9g}"
        return f"{told},flags={flags}i" if flags else told
    return f"score={score:.9g},flags={flags}i" if score == score else f"flags={flags}i"
