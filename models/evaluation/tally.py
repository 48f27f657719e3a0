"""How the count model does on recorded events: read them, count them in windows, score, and put surges on.

A CSV has a heading, a column of times, and a row for each event. A column `count` says how many a row stands for (one
otherwise), and columns `area`, `camera`, `zone`, `place` or `kind` tell streams apart. `windows.json` beside it names
the stretches in which something did happen, as NAB does: file → list of [begin, end].
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from models.counts import MOST, WEEK, Counts, upper
from models.evaluation.folder import WINDOWS, FolderError
from models.evaluation.plot import Band, Mark, Panel, around

Floats = npt.NDArray[np.float64]

BY = ("area", "camera", "zone", "place", "kind")
OFTEN = 0.99
ALARM = 0.999
"""Score from which a window is an alarm unless another is asked for; those that follow each other are one."""
MOST_BYTES, MOST_STREAMS, MOST_WINDOWS = 256 * 1024 * 1024, 500, 1_000_000
LASTS = 3 * 3600.0
"""Seconds for which a surge is put on, and in which it may be found."""
DAY = 86400.0


class Stream(msgspec.Struct, frozen=True):
    """Counts f8[windows] of one stream from window `first` (windows since 1970) on, and what happened (unix s)."""

    name: str
    first: int
    counts: Floats
    happened: tuple[tuple[float, float], ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """Scores f8[windows], NaN while it learns, and the mean that was expected."""

    score: Floats
    expected: Floats


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream did: windows judged where nothing is known to have happened, and what was found."""

    stream: str
    windows: int
    per_window: float
    often: float  # 0.99: came over should
    seldom: float  # the same at the level of an alarm
    false: int
    weeks: float
    happened: int
    found: int
    put_on: int = 0
    put_on_found: int = 0
    median_after: float | None = None  # seconds until a surge that was put on was found


def read(source: Path, window: float) -> list[Stream]:
    """Read a file, or all files of a folder, in order of name. Raise `FolderError` where there is nothing to count."""
    if not source.exists():
        raise FolderError(f"there is no {source}")
    folder = source if source.is_dir() else source.parent
    named = next((folder / name for name in WINDOWS if (folder / name).is_file()), None)
    try:
        happened = {} if named is None else json.loads(named.read_text(encoding="utf-8"))
        if not isinstance(happened, dict):
            raise ValueError("names no files")
    except ValueError as error:
        raise FolderError(f"{named}: is no list of windows: {error}") from error
    found: list[Stream] = []
    for path in sorted(source.rglob("*.csv")) if source.is_dir() else [source]:
        name = path.relative_to(folder).as_posix()
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"is larger than {MOST_BYTES >> 20} MB")
            spans = tuple((_moment(begin), _moment(end)) for begin, end in happened.get(name, ()))
            found += _streams(path, name, window, spans)
        except (ValueError, TypeError, UnicodeDecodeError, csv.Error) as error:
            raise FolderError(f"{path}: holds no events: {error}") from error
    if not found:
        raise FolderError(f"no file of events in {source}: CSV with a column of times, a row for each event")
    return found


def _streams(path: Path, name: str, window: float, happened: tuple[tuple[float, float], ...]) -> Iterator[Stream]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        heading = [one.strip().lower() for one in next(rows, [])]
        when = next((at for at, one in enumerate(heading) if one in ("time", "timestamp", "t", "received")), 0)
        count = heading.index("count") if "count" in heading else None
        by = [at for at, one in enumerate(heading) if one in BY and at != when]
        events: dict[str, list[tuple[int, float]]] = {}
        first, last = math.inf, -math.inf
        for row in rows:
            if not row:
                continue
            if len(row) != len(heading):
                raise ValueError(f"line {rows.line_num} has {len(row)} fields, the heading {len(heading)}")
            number = int(_moment(row[when]) // window)
            many = 1.0 if count is None else float(row[count])
            if not 0.0 <= many <= MOST:
                raise ValueError(f"line {rows.line_num}: a count of {row[count or 0]}")
            stream = " ".join(row[at] for at in by if row[at])
            if stream not in events and len(events) >= MOST_STREAMS:
                raise ValueError(f"more than {MOST_STREAMS} streams")
            events.setdefault(stream, []).append((number, many))
            first, last = min(first, number), max(last, number)
    if not events:
        return
    length = int(last - first) + 1
    if length > MOST_WINDOWS:
        raise ValueError(f"{length} windows are more than {MOST_WINDOWS}")
    for stream, told in sorted(events.items()):
        places, many_ = (np.array(column) for column in zip(*told, strict=True))
        counts = np.bincount(places.astype(np.intp) - int(first), many_, length)
        yield Stream(f"{name}{':' if stream else ''}{stream}", int(first), counts.astype(np.float64), happened)


def _moment(text: object) -> float:
    """Read unix seconds, or a date and time (UTC where it names no zone)."""
    try:
        time = float(str(text))
    except ValueError:
        found = datetime.fromisoformat(str(text))
        time = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    if not 0.0 <= time <= 1e11:
        raise ValueError(f"{text} is no time")
    return time


def judge(stream: Stream, window: float, progress: Callable[[int], None] | None = None) -> Judged:
    """Score window by window: each by what came before it only."""
    score, expected = np.full(len(stream.counts), np.nan), np.full(len(stream.counts), np.nan)
    model = Counts(window)
    model.grow(1)
    for at, count in enumerate(stream.counts.tolist()):
        score[at], expected[at] = _one(model, stream.first + at, count)
        if progress is not None and at % 200 == 0:
            progress(at)
    return Judged(score, expected)


def _one(model: Counts, number: int, count: float) -> tuple[float, float]:
    """Score one window, NaN while the model learns, then learn from it."""
    known = not model.learning()[0]
    mean, doubt = model.expected(number)
    spread = float(model.scatter()[0] + doubt[0])
    score = 1.0 - upper(int(count), float(mean[0]), spread) if known else math.nan
    model.close(number, np.array([count]), np.zeros(1, np.bool_))
    return score, float(mean[0])


class Surge(msgspec.Struct, frozen=True):
    """A surge that was put on a stream from window `at` (places in its counts) on; `after` seconds until found."""

    stream: str
    at: int
    counts: Floats
    score: Floats
    after: float | None


def put_on(
    stream: Stream, window: float, times: float, each: int, seed: int,
    progress: Callable[[int], None] | None = None, alarm: float = ALARM,
) -> list[Surge]:  # fmt: skip
    """Put `each` surges on quiet stretches, `times` what was expected for three hours: draws of that rate on top."""
    lasting = max(int(LASTS // window), 1)
    quiet = ~_within(stream, window)
    needed = int(WEEK // window)  # not within the first week: what is learnt then is held against it elsewhere
    possible = [at for at in range(needed, len(stream.counts) - lasting, lasting) if quiet[at : at + lasting].all()]
    random = np.random.default_rng([seed, len(stream.counts)])
    chosen = sorted(random.choice(possible, min(each, len(possible)), replace=False).tolist()) if possible else []
    model = Counts(window)
    model.grow(1)
    found, waiting = [], list(chosen)
    for at, count in enumerate(stream.counts.tolist()):
        if waiting and waiting[0] == at:
            waiting.pop(0)
            found.append(_surge(stream, window, model, at, lasting, times, random, alarm))
        if not waiting:
            break
        model.close(stream.first + at, np.array([count]), np.zeros(1, np.bool_))
        if progress is not None and at % 200 == 0:
            progress(at)
    return found


def _surge(
    stream: Stream, window: float, known: Counts, at: int, lasting: int, times: float, random: np.random.Generator,
    alarm: float,
) -> Surge:  # fmt: skip
    """Fork what is known before a window, and let it see a surge."""
    model = Counts(window)
    model.grow(1)
    model.take(0, known.state(), 0)
    counts, scores = [], []
    after = None
    for place in range(at, at + lasting):
        mean = float(model.expected(stream.first + place)[0][0])
        count = float(stream.counts[place] + random.poisson((times - 1.0) * mean))
        score, _ = _one(model, stream.first + place, count)
        counts.append(count)
        scores.append(score)
        if score >= alarm and after is None:
            after = (place - at + 1) * window
    return Surge(stream.name, at, np.array(counts), np.array(scores), after)


def told(stream: Stream, judged: Judged, window: float, surges: Sequence[Surge] = (), alarm: float = ALARM) -> Told:
    """Sum a stream up, with scores from `alarm` on as alarms."""
    within = _within(stream, window)
    quiet = ~within & np.isfinite(judged.score)
    windows = int(quiet.sum())
    rates = [float((judged.score[quiet] >= at).sum()) / max(windows * (1.0 - at), 1e-9) for at in (OFTEN, alarm)]
    hits = [_found(stream, judged, window, span, alarm) for span in stream.happened]
    delays = [one.after for one in surges if one.after is not None]
    return Told(
        stream=stream.name,
        windows=windows,
        per_window=float(stream.counts.mean()) if len(stream.counts) else 0.0,
        often=rates[0],
        seldom=rates[1],
        false=len(false_alarms(stream, judged, window, alarm)),
        weeks=windows * window / WEEK,
        happened=len(hits),
        found=sum(hits),
        put_on=len(surges),
        put_on_found=len(delays),
        median_after=float(np.median(delays)) if delays else None,
    )


def false_alarms(stream: Stream, judged: Judged, window: float, alarm: float = ALARM) -> list[float]:
    """List when (unix s) alarms began where nothing is known to have happened."""
    loud = (judged.score >= alarm) & ~_within(stream, window)
    begun = np.flatnonzero(loud & ~np.concatenate(([False], loud[:-1])))
    return [(stream.first + int(at)) * window for at in begun]


def panels(
    stream: Stream, judged: Judged, window: float, surges: Sequence[Surge], alarm: float = ALARM
) -> Iterator[Panel]:
    """Draw the stream around each false alarm, each miss of what happened, and each surge that was missed."""
    times = (stream.first + np.arange(len(stream.counts), dtype=np.float64)) * window
    bands = [
        Band(*span, look="found" if _found(stream, judged, window, span, alarm) else "missed")
        for span in stream.happened
    ]
    for span, band in zip(stream.happened, bands, strict=True):
        if band.look == "missed":
            yield _panel(f"{stream.name}: missed", stream, judged, times, *span, [band], [])
    for at in false_alarms(stream, judged, window, alarm):
        mark = Mark(at, f"{judged.score[int(at // window) - stream.first]:.5f}", "false")
        yield _panel(f"{stream.name}: false alarm", stream, judged, times, at, at + window, bands, [mark])
    for one in surges:
        if one.after is None:
            begin, end = times[one.at], times[one.at] + len(one.counts) * window
            changed = stream.counts.copy()
            changed[one.at : one.at + len(one.counts)] = one.counts
            shown = msgspec.structs.replace(stream, counts=changed)
            band = Band(float(begin), float(end), "put on, not found", "missed")
            yield _panel(f"{stream.name}: missed surge", shown, judged, times, float(begin), float(end), [band], [])


def _panel(
    title: str,
    stream: Stream,
    judged: Judged,
    times: Floats,
    begin: float,
    end: float,
    bands: Sequence[Band],
    marks: Sequence[Mark],
) -> Panel:
    part = around(times, begin, end, 2 * DAY)
    note = "black: counted, blue: expected"
    return Panel(title, times[part], stream.counts[part], marks, bands, note=note, second=judged.expected[part])


def _within(stream: Stream, window: float) -> npt.NDArray[np.bool_]:
    """Tell which windows touch what happened, bool[windows]."""
    begin = (stream.first + np.arange(len(stream.counts))) * window
    found = np.zeros(len(begin), np.bool_)
    for since, until in stream.happened:
        found |= (begin + window > since) & (begin <= until)
    return found


def _found(stream: Stream, judged: Judged, window: float, span: tuple[float, float], alarm: float) -> bool:
    alone = msgspec.structs.replace(stream, happened=(span,))
    return bool((judged.score[_within(alone, window)] >= alarm).any())
