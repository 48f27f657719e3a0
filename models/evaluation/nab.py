"""Score detectors on the Numenta Anomaly Benchmark with its official arithmetic, fast.

Source: Lavin & Ahmad 2015, "Evaluating real-time anomaly detection algorithms", and `nab/sweeper.py` (MIT): windows,
scaled sigmoid, probation of min(15 %, 750) readings, one threshold over the corpus chosen to maximise the score.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from models.interval import usual_interval

Floats = npt.NDArray[np.float64]


class Profile(msgspec.Struct, frozen=True):
    """Weigh hits, misses and false alarms."""

    hit: float
    miss: float
    false: float


PROFILES = {
    "standard": Profile(1.0, 1.0, 0.11),
    "low_fp": Profile(1.0, 1.0, 0.22),
    "low_fn": Profile(1.0, 2.0, 0.11),
}


class Series(msgspec.Struct, frozen=True):
    """Hold one file: time (unix seconds, f8), value (f8), anomaly windows as [first, last] row numbers."""

    name: str
    time: Floats
    value: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Return how many readings at the start are not scored."""
        return int(min(0.15 * len(self.time), 750))

    @property
    def interval(self) -> float:
        """Return the expected seconds between readings, as the first ones show it."""
        return usual_interval(self.time.tolist())


class Verdict(msgspec.Struct, frozen=True):
    """Say what a threshold earned: 0 is the null detector, 100 perfect."""

    score: float
    threshold: float
    hits: int
    windows: int
    false: int  # detections outside all windows


def load(folder: Path) -> list[Series]:
    """Read all series under `folder` (`<group>/<file>.csv` beside `windows.json`), in order of name."""
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    return [
        read_series(path, windows.get(f"{path.parent.name}/{path.name}", [])) for path in sorted(folder.glob("*/*.csv"))
    ]


def read_series(path: Path, windows: Sequence[Sequence[str]]) -> Series:
    """Read one NAB file (columns timestamp, value) and place its windows on row numbers."""
    with path.open(newline="", encoding="utf-8") as stream:
        records = list(csv.reader(stream))[1:]
    time = np.array([_unix(record[0]) for record in records])
    value = np.array([float(record[1]) for record in records])
    return Series(f"{path.parent.name}/{path.name}", time, value, spans(time, windows))


def spans(time: Floats, windows: Iterable[Sequence[str]]) -> tuple[tuple[int, int], ...]:
    """Return windows, each [first, last] time as written, as row numbers of times (f8[n] unix seconds)."""
    return tuple(
        (int(np.searchsorted(time, _unix(first), "left")), int(np.searchsorted(time, _unix(last), "right")) - 1)
        for first, last in windows
    )


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def sigmoid(position: npt.ArrayLike) -> Floats:
    """Return NAB's scaled sigmoid: about 1 at -1, 0 at 0, -1 beyond 3."""
    y = np.asarray(position, np.float64)
    return np.where(y > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(y, 3.0))) - 1.0)


def judge(
    series: Iterable[Series], scores: Mapping[str, Floats], profile: Profile, threshold: float | None = None
) -> Verdict:
    """Return the verdict on `scores` (one array a series name) at one threshold, by default the best of all.

    Raise KeyError when a series has no scores and ValueError when lengths differ.
    """
    gains, levels, kinds, count = [], [], [], 0
    for one in series:
        score = np.asarray(scores[one.name], np.float64)
        if len(score) != len(one.time):
            raise ValueError(f"{one.name}: {len(score)} scores for {len(one.time)} readings")
        order, gain, kind = _gains(one, score, profile)
        gains.append(gain)
        levels.append(score[order])
        kinds.append(kind)
        count += len(one.windows)
    gain, level, kind = np.concatenate(gains), np.concatenate(levels), np.concatenate(kinds)
    order = np.argsort(-level, kind="stable")
    gain, level, kind = gain[order], level[order], kind[order]
    last = np.append(level[1:] != level[:-1], True)  # a threshold takes all readings of one score or none
    null = -profile.miss * count
    earned = np.append(null, null + np.cumsum(gain)[last])
    cuts = np.append(np.inf, level[last])
    place = int(np.argmax(earned)) if threshold is None else int(np.sum(cuts >= threshold)) - 1
    taken = int(np.sum(level >= cuts[place]))
    false = int(np.sum(kind[:taken] == 2))
    span = (profile.hit + profile.miss) * count
    return Verdict(
        score=100.0 * float(earned[place] - null) / span if span else 100.0,
        threshold=float(cuts[place]),
        hits=int(np.sum(kind[:taken] == 1)),
        windows=count,
        false=false,
    )


def _gains(one: Series, score: Floats, profile: Profile) -> tuple[npt.NDArray[np.intp], Floats, npt.NDArray[np.uint8]]:
    """Return readings by falling score, what each adds once it is detected, and 1 first hit, 2 false, 0 else."""
    n = len(score)
    index = np.arange(n)
    weight = np.full(n, -profile.false)
    window = np.full(n, -1)
    top = float(sigmoid(-1.0))
    for number, (first, final) in enumerate(one.windows):
        width = final - first + 1
        inside = index[first : final + 1]
        weight[inside] = sigmoid(-(final - inside + 1) / width) * profile.hit / top
        window[inside] = number
        after = index[final + 1 : one.windows[number + 1][0] if number + 1 < len(one.windows) else n]
        weight[after] = sigmoid((after - final) / max(width - 1.0, 1.0)) * profile.false
    order = np.argsort(-score[one.probation :], kind="stable") + one.probation
    gain = weight[order].copy()
    kind = np.where(window[order] < 0, 2, 0).astype(np.uint8)
    for number in range(len(one.windows)):
        mine = np.flatnonzero(window[order] == number)
        if len(mine):
            best = np.maximum.accumulate(gain[mine])
            gain[mine] = np.diff(best, prepend=-profile.miss)
            kind[mine[0]] = 1
    return order, gain, kind


def halves(series: Sequence[Series]) -> tuple[list[Series], list[Series]]:
    """Split series in two halves by alternating within each group: tune on one, quote the other."""
    ordered = sorted(series, key=lambda one: one.name)
    return ordered[0::2], ordered[1::2]
