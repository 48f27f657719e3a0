"""Readings as a pandas table, for notebooks: one row a reading, in the order in which they arrived.

Columns: `point` (id), `time` (UTC, the reading's own), `value` (float, in the point's unit), `quality` (u1, the bits of
`sensors.observation`), `received` (UTC). pandas is only loaded when a table is asked for.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from sensors.observation import GOOD

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

COLUMNS = ("point", "time", "value", "quality", "received")
MOST = 50_000_000
"""Rows of a table at most: some gigabytes."""
_NANO = 1_000_000_000
_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (0.0, 1.0))  # ns, µs, ms, s since 1970, by how large they are


class HistoryError(ValueError):
    """Raised when readings cannot be had or used, or not what is asked for: says why, and what would help."""


def pandas() -> Any:
    """Return pandas. Raise `HistoryError` where it is not installed."""
    try:
        import pandas
    except ImportError:
        raise HistoryError("pandas is not installed; `pip install -e '.[notebook]'` brings it") from None
    return pandas


def table(
    point: npt.NDArray[Any],
    time: Floats,
    value: Floats,
    quality: npt.NDArray[np.uint8] | None = None,
    received: Floats | None = None,
) -> pd.DataFrame:
    """Make a table of columns of equal length; times are unix seconds. Without `received`, each arrives at its time."""
    received = time if received is None else received
    order = np.lexsort((time, received))
    return pandas().DataFrame(
        {
            "point": np.asarray(point, object)[order],
            "time": moments(time[order]),
            "value": np.asarray(value, np.float64)[order],
            "quality": np.full(len(order), GOOD, np.uint8) if quality is None else quality[order],
            "received": moments(received[order]),
        }
    )


def moments(unix: Floats) -> pd.DatetimeIndex:
    """Turn unix seconds into UTC moments, to the nanosecond: `unix_seconds` gives the same numbers back."""
    whole = np.floor(unix)
    nanoseconds = whole.astype(np.int64) * _NANO + np.rint((unix - whole) * _NANO).astype(np.int64)
    found: pd.DatetimeIndex = pandas().DatetimeIndex(nanoseconds.view("datetime64[ns]"), tz="UTC")
    return found


def unix_seconds(column: Any) -> Floats:
    """Turn a column of moments (with a zone) or of numbers into unix seconds, f8[n]."""
    pd = pandas()
    column = pd.Series(column)
    if not pd.api.types.is_datetime64_any_dtype(column):
        return np.asarray(column, np.float64)
    if column.dt.tz is None:
        raise HistoryError("its times have no zone; say which with `tz_localize`, as in .dt.tz_localize('UTC')")
    nanoseconds = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]").view(np.int64)
    found: Floats = (nanoseconds // _NANO).astype(np.float64) + (nanoseconds % _NANO) / _NANO
    return found


def checked(history: pd.DataFrame) -> tuple[npt.NDArray[Any], Floats, Floats, npt.NDArray[np.uint8], Floats]:
    """Return the columns of a table of readings, by arrival; `quality` and `received` may be left out.

    Raise `HistoryError` where a column is missing or is not what it should be.
    """
    missing = [name for name in COLUMNS[:3] if name not in history]
    if missing:
        raise HistoryError(f"a table of readings has the columns {', '.join(COLUMNS)}; it lacks {', '.join(missing)}")
    if len(history) > MOST:
        raise HistoryError(f"more than {MOST:,} readings; take a shorter time or fewer points")
    try:
        time, value = unix_seconds(history["time"]), np.asarray(history["value"], np.float64)
        received = unix_seconds(history["received"]) if "received" in history else time
        quality = np.asarray(history["quality"] if "quality" in history else np.full(len(time), GOOD), np.uint8)
    except (TypeError, ValueError) as error:
        if isinstance(error, HistoryError):
            raise
        raise HistoryError(f"times and values must be moments and numbers: {error}") from None
    if not np.isfinite(received).all() or not np.isfinite(time).all():
        raise HistoryError("some times are missing")
    order = np.argsort(received, kind="stable")
    return np.asarray(history["point"], object)[order], time[order], value[order], quality[order], received[order]


def read_csv(path: Path | str, *, time: str, value: str, point: str, zone: str = "UTC") -> pd.DataFrame:
    """Read one column of a CSV as the readings of a point. Rows without a readable time or a number are left out.

    Times are ISO 8601 (without a zone in them, in `zone`) or unix seconds, milliseconds, microseconds or nanoseconds.
    How many rows were left out is `attrs["left_out"]` of the table. Raise `HistoryError` on a file that gives nothing.
    """
    pd, file = pandas(), Path(path)
    try:
        local = ZoneInfo(zone)
        read = pd.read_csv(file, usecols=[time, value], dtype=str, encoding_errors="replace", nrows=MOST + 1)
    except (ZoneInfoNotFoundError, OSError, ValueError, csv.Error) as error:
        raise HistoryError(f"{file}: cannot be read: {error}") from None
    if len(read) > MOST:
        raise HistoryError(f"{file}: more than {MOST:,} rows")
    numbers = pd.to_numeric(read[value], errors="coerce").to_numpy(np.float64)
    times = _times(read[time], local)
    good = np.isfinite(times) & np.isfinite(numbers)
    if not good.any():
        raise HistoryError(f"{file}: no row has both a time in {time} and a number in {value}")
    found = table(np.full(int(good.sum()), point, object), times[good], numbers[good])
    found.attrs["left_out"] = int((~good).sum())
    return found


def _times(column: Any, zone: ZoneInfo) -> Floats:
    """Read texts as unix seconds, NaN where one is none."""
    pd = pandas()
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers).any():
        size = float(np.nanmax(np.abs(numbers)))
        found: Floats = numbers * next(scale for least, scale in _EPOCHS if size >= least)
        return np.where(np.abs(found) < 1e11, found, math.nan)
    plain = ~column.fillna("").str.contains(r"[zZ]$|[+-]\d\d:?\d\d$", regex=True)
    read = pd.to_datetime(column.where(plain), errors="coerce", format="ISO8601")
    local = read.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    told = pd.to_datetime(column.where(~plain), errors="coerce", format="ISO8601", utc=True)
    return np.where(
        plain,
        np.where(local.isna(), math.nan, unix_seconds(local)),
        np.where(told.isna(), math.nan, unix_seconds(told)),
    )
