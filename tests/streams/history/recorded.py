"""A data folder in which a small site has run for some hours: log, journal, and the site in force."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alerts.journal import Journal
from rules.rule import Rule
from sensors.site import Site
from streams import bundle, publication, settings
from streams.bundle import Bundle
from streams.embedded.store import Log, TopicSpec
from streams.engine import Engine
from streams.history.columns import Scored
from streams.history.parquet import Parquet
from streams.history.tiers import tiers
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES
from tests.streams.small_site import START, frame_of, published, rules, site, tick

HOURS = 3.0


def pair(rows: int, seed: int = 0) -> np.ndarray:
    """Return two points that go together, f8[rows, 2]."""
    random = np.random.default_rng(seed)
    cause = random.normal(size=rows)
    return 5.0 + cause[:, None] + 0.3 * random.normal(size=(rows, 2))


def recorded(
    data: Path,
    values: np.ndarray,
    quality: dict[int, int] | None = None,
    content: Site | None = None,
    given: tuple[Rule, ...] | None = None,
    still: bool = True,
    begin: int = 0,
) -> Path:
    """Record p0 and p3, f8[rows, 2], every 10 s from START; NaN is no reading; `quality` by row. `still`: p4 stands.

    What came before the row `begin` the log has let go of, and the history has it.
    """
    data.mkdir(parents=True, exist_ok=True)
    known = Bundle(site=content or site(), rules=rules() if given is None else given)
    publication.write(data, bundle.pack(known))
    publication.write_indices(data, {point.id: point.index for point in known.site.points})
    records = [published(known), tick(START + 10.0 * begin)]
    keep_before(data, values[:begin], quality or {})
    for row, each in enumerate(values[begin:], begin):
        now = START + 10.0 * row
        readings = [(point, now, float(value)) for point, value in zip((0, 3), each, strict=True) if value == value]
        if readings:
            records.append(frame_of(readings, now + 0.5, (quality or {}).get(row, 0)))
        if still:
            records.append(frame_of([(1, now, 7.0), (4, now, 7.0)], now + 0.6))
        records.append(tick(now + 1.0))
    with Log(data / "log.sqlite", {OBSERVATIONS: TopicSpec(1), OUTCOMES: TopicSpec(1)}) as log:
        log.write([(OBSERVATIONS, 0, None, record) for record in records])
        log.write([], commits=[(GROUP, OBSERVATIONS, 0, len(records))])
        identity = log.identity
    journal = Journal(f"sqlite:///{data / 'journal.sqlite'}")
    journal.record(Engine(0).apply(list(enumerate(records))).records, identity)
    journal.close()
    return data


def keep_before(data: Path, values: np.ndarray, quality: dict[int, int]) -> None:
    """Keep rows of p0 and p3 in the history in the data folder."""
    row, column = np.nonzero(np.isfinite(values))
    if len(row):
        flags = np.array([quality.get(each, 0) for each in row.tolist()], np.uint16)
        point = np.array([0, 3], np.uint32)[column]
        kept = Scored(point, START + 10.0 * row, values[row, column], np.zeros(len(row), np.float32), flags)
        Parquet(data / "history", tiers(settings.load({}))).keep(kept, {}, START + 10.0 * len(values))
