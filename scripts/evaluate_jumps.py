"""What the detector of unit jumps finds: false ones in real series, and those put into them. JSON lines.

Each CSV column of numbers in the folder is a series. A false jump is an episode told in a series as it is. Then every
series is turned into another unit at half and at four fifths of its length: which of these are told within 20 readings,
out of those that lead well outside of all that the series has shown (the others cannot be told from a change).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models import jump
from models.bank import Bank
from models.interval import usual_interval
from models.jump import FACTORS, OFFSETS, THERMAL, Jumps

WITHIN = 20
CUTS = (0.5, 0.8)
LONGEST = 20_000

Floats = npt.NDArray[np.float64]


def series_of(folder: Path) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield (name, times, values) of every column that is made of numbers."""
    for file in sorted(folder.rglob("*.csv")):
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))[:LONGEST]
        clock = next((name for name in ("timestamp", "datetime") if rows and name in rows[0]), None)
        if clock is None:
            continue
        times = np.array([datetime.fromisoformat(row[clock]).timestamp() for row in rows])
        for name in rows[0]:
            if name in (clock, "", "site_no", "anomaly", "changepoint") or name.endswith(("_qual", "_cd", "_cor")):
                continue
            try:
                values = np.array([float(row[name]) for row in rows])
            except ValueError:
                continue
            if np.isfinite(values).all():
                fresh = np.concatenate([[True], np.diff(np.maximum.accumulate(times)) > 0])
                yield f"{file.stem}.{name}", times[fresh], values[fresh]


def told(series: list[tuple[Floats, Floats]], thermal: list[bool]) -> list[npt.NDArray[np.bool_]]:
    """Put all series through a bank and the detector, side by side; say which readings are told as jumped."""
    bank, jumps = Bank(), Jumps()
    for row, (times, _) in enumerate(series):
        bank.configure(row, interval=usual_interval(times.tolist()))
        jumps.configure(row, gauge=True, thermal=thermal[row])
    found = [np.zeros(len(times), bool) for times, _ in series]
    lengths = np.array([len(times) for times, _ in series])
    for step in range(int(lengths.max())):
        rows = np.flatnonzero(lengths > step)
        time = np.array([series[row][0][step] for row in rows])
        value = np.array([series[row][1][step] for row in rows])
        before = bank.last_value.copy()
        result = bank.update(rows, time, value)
        low, high = bank.outside
        marked = jumps.update(rows, time, value, result.reason, low, high, before)
        for place in [] if marked is None else np.flatnonzero(marked).tolist():
            found[rows[place]][step] = True
    return found


def leads_outside(before: Floats, after: Floats) -> bool:
    """Tell whether the first reading in another unit is well outside of all before it."""
    width = before.max() - before.min()
    return bool(after[0] > before.max() + jump.FAR * width or after[0] < before.min() - jump.FAR * width)


def main() -> None:
    """Print a line for the false jumps and one a factor."""
    parser = argparse.ArgumentParser(prog="python -m scripts.evaluate_jumps", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+")
    series = [one for folder in parser.parse_args().folder for one in series_of(folder)]
    warm = [name.endswith((".temp", ".TEMP")) for name, _, _ in series]
    plain = [(times, values) for _, times, values in series]
    false = {}
    for (name, *_), marked in zip(series, told(plain, warm), strict=True):
        episodes = int((np.diff(marked.astype(int), prepend=0) == 1).sum())
        if episodes:
            false[name] = episodes
    days = sum(float(times[-1] - times[0]) for times, _ in plain) / 86400.0
    readings = sum(len(times) for times, _ in plain)
    figures = {"series": len(plain), "readings": readings, "point_days": round(days), "false_jumps": false}
    print(json.dumps({**figures, "a_point_day": round(sum(false.values()) / days, 5)}), flush=True)
    for place, (factor, offset) in enumerate(zip(FACTORS.tolist(), OFFSETS.tolist(), strict=True)):
        turned, at, hot = [], [], []
        for (times, values), thermal in zip(plain, warm, strict=True):
            if place >= len(FACTORS) - THERMAL and not thermal:
                continue
            for cut in CUTS:
                start = int(len(values) * cut)
                after = values[start : start + WITHIN] * factor + offset
                if leads_outside(values[:start], after):
                    turned.append((times[: start + WITHIN], np.concatenate([values[:start], after])))
                    at.append(start)
                    hot.append(thermal)
        found = told(turned, hot) if turned else []
        hits = sum(bool(marked[start:].any()) for marked, start in zip(found, at, strict=True))
        print(json.dumps({"factor": round(factor, 5), "offset": round(offset, 2), "told": hits, "of": len(turned)}))


if __name__ == "__main__":
    main()
