"""What the console and the command line ask of the history: series for charts, and each reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from alerts.console.config import PastError
from alerts.console.traces import Series
from sensors.site import Site
from streams.history.lines import Naming
from streams.history.store import LAG, TROUBLE, Store, open_store, series
from streams.history.tiers import tiers
from streams.settings import Settings

if TYPE_CHECKING:
    from alerts.console.config import Columns


class Charts:
    """Ask the history that the settings name. What cannot be asked raises `PastError`."""

    def __init__(self, found: Settings, site: Callable[[], Site]) -> None:
        """`site` gives the site in force: points are called by it."""
        self._found, self._site = found, site

    def span(self) -> tuple[float, float]:
        """Say since and until when all is there; nothing before anything was kept."""
        with _Opened(self._found, self._site()) as store:
            since, until = store.span()
        return since, max(since, until - LAG)

    def series(self, points: Sequence[int], begin: float, end: float) -> dict[int, Series]:
        """Give points' readings as series, as fine as fits a chart."""
        site = self._site()
        interval = min((point.interval for point in site.points if point.index in points), default=60.0)
        with _Opened(self._found, site) as store:
            return series(store, tiers(self._found), points, begin, end, time.time(), interval)

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        """Yield each reading as columns, the newest first."""
        with _Opened(self._found, self._site()) as store:
            for part in store.readings(points, begin, end):
                yield part.point, part.time, part.value, part.score, part.flags


class _Opened:
    """Open the history for one question, and turn what goes wrong into `PastError`."""

    def __init__(self, found: Settings, site: Site) -> None:
        self._found, self._site = found, site
        self._store: Store | None = None

    def __enter__(self) -> Store:
        self._store = open_store(self._found, Naming(self._site))
        if self._store is None:
            raise PastError("no history is kept: FORESHOCK_HISTORY_GIGABYTES is 0")
        return self._store

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._store is not None:
            self._store.close()
        if isinstance(error, TROUBLE):
            raise PastError(str(error)) from error
