"""Situation reports for those who look at the page: counted once for all places, and kept while they may be right."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from alerts.queries import Reader
from alerts.situation import Facts, Span, gather, report
from alerts.situation.facts import limits_of
from sensors.site import Site

FRESH = 60.0
"""Seconds for which a span that is not over need not be counted again; one that is over is for so long, times ten."""

MOVED = 10.0
"""Seconds for which it need not be although the journal has moved: in a flood it always has."""

MOST = 16
"""Spans that are kept."""


class Situations:
    """Count spans, one at a time. Safe from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, float | None], tuple[float, int, Facts]] = OrderedDict()
        self._lock = threading.Lock()

    def report(self, reader: Reader, site: Site, place: str, span: Span, now: float, never: set[str]) -> dict[str, Any]:
        """Report a place. A span that is over may yet change a little: incidents that began in it are closed later."""
        with self._lock:
            mine = self._facts(reader, site, span, now)
            # against as much of the span before: what is kept has its match kept, too
            past = self._facts(reader, site, mine.span.before(site.zone), now)
        return report(site, place, mine, past, never)

    def _facts(self, reader: Reader, site: Site, span: Span, now: float) -> Facts:
        over = span.end <= now - FRESH
        key = span.period, span.name, span.end if over else None
        position = 0 if over else reader.position()  # before it is counted: what comes meanwhile is counted again
        made, at, kept = self._kept.get(key, (0.0, -1, None))
        lasts = FRESH * 10 if over else FRESH if at == position else MOVED
        if kept is not None and 0 <= now - made < lasts:
            return kept
        facts = gather(reader, span, limits_of(site.points))
        self._kept[key] = now, position, facts
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return facts
