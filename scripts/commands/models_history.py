"""What `foreshock models` reads of an area's own history: readings of the log and before it, and what spoils them."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from contextlib import ExitStack

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alerts.queries import JournalMissing, Reader
from scripts.commands.moment import moment
from scripts.commands.speaking import hint, sentence
from scripts.commands.terminal import err, fail
from scripts.commands.words import Words
from sensors.lookup import Registry
from sensors.site import Area, Point, Site
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.history.area import History, Spell, history
from streams.history.readings import HistoryError
from streams.settings import Settings

BARS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class Own:
    """Read the history of one area from the data folder of a site, running or at rest."""

    def __init__(
        self, found: Settings, site: Site, area: Area, words: Words, ignore: Sequence[str] = (), simulated: bool = False
    ) -> None:
        """`words` says what is under way, and why it cannot be."""
        self.words = words
        self.found, self.site, self.area, self.simulated = found, site, area, simulated
        self.registry = Registry(site)
        self.ignore = frozenset(ignore)

    def spells(self, begin: float, end: float, kind: str = "") -> list[Spell]:
        """List the area's alarms in a time, without those of ignored rules; with a `kind`, those that are no drill."""
        try:
            reader = Reader(self.found.journal_url)
        except JournalMissing:
            return []
        try:
            listed = reader.spells((self.area.id, *self.area.renamed_from), begin, end)
        finally:
            reader.close()
        return [
            Spell(one["begin"], one["end"], one["rule"])
            for one in listed
            if one["rule"] not in self.ignore
            and (not kind or (one["kind"] == kind and (self.simulated or not one["simulated"])))
        ]

    def rows(self, points: Sequence[Point], begin: float, end: float, interval: float | None = None) -> History:
        """Read rows between two times, with a progress bar; end the command with a sentence when there are none.

        `interval` seconds between rows, by default the median of the points' own.
        """
        from streams.history.lines import Naming  # here: help need not wait for what the history is kept with
        from streams.history.store import TROUBLE, open_store

        with ExitStack() as held:
            try:
                log = held.enter_context(LogReader(self.found.log_file)) if self.found.kafka is None else None
            except LogError as error:
                fail(sentence(error, self.words))
            older = open_store(self.found, Naming(self.site))
            if older is not None:
                held.callback(older.close)
            elif log is None:
                fail(self.words("no_log"))
            progress = held.enter_context(Progress(*BARS, console=err, transient=True))
            task = progress.add_task(self.words("reading_history"), total=None)
            try:
                return history(
                    log,
                    self.registry.partition(self.area.id),
                    points,
                    begin,
                    end,
                    self.spells(begin, end),
                    simulated=self.simulated,
                    interval=interval,
                    older=older,
                    advance=lambda done, total: progress.update(task, completed=done, total=total),
                )
            except HistoryError as error:
                fail(sentence(error, self.words))
            except TROUBLE as error:
                fail(self.words("no_history", error=sentence(error, self.words)))


def area_named(site: Site, name: str, words: Words) -> Area:
    """Find an area; end the command with a sentence where there is none."""
    registry = Registry(site)
    area = registry.area(name)
    if area is None:
        fail(words("no_area", area=name, near=hint(name, registry.areas, words)))
    return area


def when(text: str, site: Site, otherwise: float, words: Words) -> float:
    """Read a moment as a person writes it; end the command with a sentence when it is none."""
    try:
        return moment(text, clock.time(), site.zone) if text else otherwise
    except ValueError as error:
        fail(sentence(error, words))
