"""The console process: the HTTP API, its event stream and the page."""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from alerts.console import serve
from alerts.console.config import Batch, ConsoleConfig, Outgoing, Publish
from models.triage.store import Stored
from rules.rule import Level, Rule
from sensors.lookup import Registry
from sensors.site import LEVELS, Site
from streams import bundle, logs, models_known, models_watch, promoting, publication, settings, shelf, triage_models
from streams.bundle import Bundle, version_of
from streams.difference import as_plain, unraised_in
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.figures import keep_writing, read_figures, silent
from streams.following import Following
from streams.history import columns
from streams.hub import HubClient
from streams.model_shelf import ModelsError
from streams.processes import child
from streams.quarantine.access import QuarantineAccess
from streams.settings import Settings
from streams.topics import SCORES
from streams.viewing import Looking, socket_of

if TYPE_CHECKING:
    from alerts.console.config import Columns
    from alerts.console.console import Console
    from alerts.console.oidc.client import Client
    from alerts.console.traces import Series
    from sensors.observation import CameraEvent
    from streams.draft_desk import DraftDesk
    from streams.drill_desk import DrillDesk
    from streams.history.charts import Charts
    from streams.replay_desk import ReplayDesk
    from streams.system_desk import SystemDesk

T = TypeVar("T")

logger = logging.getLogger(__name__)

MOST_NEVER = 5000
"""Points and cameras, of which nothing was ever heard, that are named to the other processes."""

HISTORY_RECORDS = 20_000
"""Records of scored readings a partition that fill the charts at start, newest first in count."""


class Backlog:
    """What the console reads back from the log, while the worker writes it."""

    def __init__(self, found: Settings) -> None:
        self._where = found.log

    def scores(self, after: Mapping[int, int]) -> Iterator[Batch]:
        """Yield the latest records of scored readings, oldest first, of each partition those beyond an offset."""
        try:
            log = logs.reader(self._where)
        except LogError:
            return
        with log:
            for partition in range(log.topics().get(SCORES, 0)):
                at = max(log.start(SCORES, partition), log.end(SCORES, partition) - HISTORY_RECORDS)
                at = max(at, after.get(partition, -1) + 1)
                while found := log.read(SCORES, partition, at, limit=500):
                    at = found[-1][0] + 1
                    for offset, _, value in found:
                        yield partition, offset, value

    def between(self, partitions: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        """Yield what is recorded of a time, a partition after the other, of each the newest first.

        A log in Kafka is only read forwards: of its past there is what the traces hold.
        """
        from streams.history.newest import newest  # here: it takes the engine along; every start would wait for that

        yield from self._past(partitions, lambda log, partition: newest(log, partition, begin, end))

    def seen(self, partitions: Sequence[int], begin: float, end: float) -> Iterator[CameraEvent | None]:
        """Yield what cameras saw, as `streams.history.seen` does, a partition after the other; nothing of Kafka."""
        from streams.history.seen import seen  # here: as above

        yield from self._past(partitions, lambda log, partition: seen(log, partition, begin, end))

    def _past(self, partitions: Sequence[int], read: Callable[[LogReader, int], Iterator[T]]) -> Iterator[T]:
        if not isinstance(self._where, Path):
            return
        try:
            log = LogReader(self._where)
        except LogError:
            return
        with log:
            for partition in partitions:
                yield from read(log, partition)


class LongPast:
    """Ask what is kept of readings for long; what that needs is loaded with the first question."""

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._charts: Charts | None = None

    def _made(self) -> Charts:
        from streams.history.charts import Charts  # here: the console is to be there soon

        self._charts = self._charts or Charts(self._settings, self._site)
        return self._charts

    def _site(self) -> Site:
        return bundle.unpack(publication.read(self._settings.data_folder)).site

    def span(self) -> tuple[float, float]:
        """Say since and until when all is there."""
        return self._made().span()

    def series(self, points: Sequence[int], begin: float, end: float) -> dict[int, Series]:
        """Give points' readings as series."""
        return self._made().series(points, begin, end)

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Columns]:
        """Yield each reading, the newest first."""
        return self._made().readings(points, begin, end)


def decode_scores(
    value: bytes,
) -> tuple[
    npt.NDArray[np.uint32],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float32],
    npt.NDArray[np.uint16],
]:
    """Turn a record of the `scores` topic into columns."""
    scored = columns.decode(value)
    return scored.point, scored.time, scored.value, scored.score, scored.flags


def shown(content: Bundle) -> dict[str, dict[str, Any]]:
    """Say of each rule what the console shows."""
    return {
        rule.id: {
            "title": msgspec.to_builtins(rule.title),
            "rationale": msgspec.to_builtins(rule.rationale),
            "plan": msgspec.to_builtins(rule.plan),
            "kind": rule.kind,
            "scope": rule.scope,
            "priority": rule.priority,
            "version": rule.version,
            "template": rule.template,
            "levels": [_level(rule, rank, level) for rank, level in rule.ranked()],
        }
        for rule in content.rules
    }


def _level(rule: Rule, rank: int, level: Level) -> dict[str, Any]:
    hold, after = rule.hold_of(level), rule.clear_after_of(level)
    return {"level": LEVELS[rank - 1], "when": level.when, "clear": level.clear, "hold": hold, "clear_after": after}


def rule_text(found: Settings, id: str) -> str | None:
    """Write a rule that is in force as YAML, to be changed and tried; None where there is none of that id."""
    from rules.exchange import as_yaml  # here: few ask, and all would wait for it at the start

    rules = bundle.unpack(publication.read(found.data_folder)).rules
    return next((as_yaml([msgspec.structs.replace(rule, template="")]) for rule in rules if rule.id == id), None)


def told(console: Console, version: str) -> dict[str, Any]:
    """Say what the console's process knows: the version that it follows, refused readings, what was never heard."""
    never = sorted(console.figures.never(time.time()))[:MOST_NEVER] if console.connected() else []
    return {"following": version, "refused": dict(console.push.quarantine.counts), "never": never}


def processes(found: Settings) -> dict[str, dict[str, Any] | None]:
    """Give what each process of this run says of itself; None for one that says nothing any more."""
    return {**read_figures(found.data_folder), **dict.fromkeys(silent(found.data_folder))}


def publications(found: Settings) -> list[dict[str, Any]]:
    """List what was put in force and is kept, the latest first, and which entry is in force."""
    kept = shelf.listed(found.data_folder)
    present = shelf.latest(kept, publication.version(found.data_folder))
    return [{**msgspec.to_builtins(one), "in_force": one is present} for one in kept]


def models(found: Settings) -> list[dict[str, Any]]:
    """List the areas' models in force; none where what is promoted cannot be read: `foreshock models list` says why."""
    try:
        site = bundle.unpack(publication.read(found.data_folder)).site
        return [models_watch.as_plain(one) for one in models_watch.watched(found.data_folder, site)]
    except ModelsError:
        return []


def publish(found: Settings, asked: Publish) -> dict[str, Any]:
    """Put the site folder or an earlier publication in force, or only say what would differ."""
    from streams import reload  # here: it takes a quarter of a second, in which nobody could see their alarms

    folder, data = found.site_folder, found.data_folder
    taken = None
    if asked.check:
        prepared = reload.earlier(asked.version, data) if asked.version else reload.prepare(folder, data)
    else:
        prepared, taken = reload.reload(folder, data, asked.author, asked.reason, asked.version, processes=())
    return {
        "waiting": taken is not None and taken.waiting,
        "version": prepared.version,
        "before": prepared.before,
        "changed": prepared.version != prepared.before,
        "in_force": not asked.check and not (taken is not None and taken.waiting),
        "difference": as_plain(prepared.difference),
    }


class RuleDesk:
    """Begin, promote and end the shadow rules of a site folder."""

    def __init__(self, found: Settings) -> None:
        self._folder, self._data = found.site_folder, found.data_folder

    def begin(self, author: str, reason: str) -> tuple[str, Sequence[Outgoing]]:
        """Check the folder's rules; return the set's id and what to put into the log."""
        from streams import shadowing  # here: what changes the site is loaded when it is changed

        return shadowing.begin(self._folder, self._data, author, reason)

    def promote(self, id: str, author: str, reason: str) -> dict[str, Any]:
        """Put a set in force, or propose it where that takes two persons."""
        from streams import shadowing  # here: what changes the site is loaded when it is changed

        prepared, taken = shadowing.promote(self._data, id, author, reason)
        return {
            "version": prepared.version,
            "waiting": taken is not None and taken.waiting,
            "unraised": unraised_in(prepared.difference),
        }

    def end(self, author: str, reason: str) -> Sequence[Outgoing]:
        """Return what ends the set that runs."""
        from streams import shadowing  # here: what changes the site is loaded when it is changed

        return shadowing.end(self._data, author, reason)


class ModelDesk:
    """List, promote and take back the models of a data folder."""

    def __init__(self, found: Settings) -> None:
        self._data = found.data_folder

    def known(self) -> dict[str, Any]:
        """List all models. Raise `ModelsError` when what is promoted cannot be read."""
        plain: dict[str, Any] = msgspec.to_builtins(models_known.known(self._data, self._site()))
        for one in plain["triage"]:
            bins = one["figures"]["bins"]
            one["figures"]["bins"] = [{"count": count, "told": told, "real": real} for count, told, real in bins]
        return plain

    def triage(self, version: str) -> Stored:
        """Read a triage model. Raise `ModelsError` when there is none."""
        return triage_models.take(self._data, version)

    def promote(self, version: str, author: str, reason: str) -> dict[str, Any]:
        """Put a model in force, or propose it where that takes two persons. Raise `PromotionError`."""
        done = promoting.promote(self._data, self._site(), version, author, reason, time.time(), wait=False)
        return dict(msgspec.to_builtins(done))

    def rollback(self, of: str, present: str, author: str, reason: str) -> dict[str, Any]:
        """Put the model before `present` in force again. Raise `PromotionError`."""
        done = promoting.rollback(self._data, self._site(), of, author, reason, present, wait=False)
        return dict(msgspec.to_builtins(done))

    def _site(self) -> Site:
        return bundle.unpack(publication.read(self._data)).site


class Replays:
    """Start, watch and cancel replays; what they need is loaded with the first."""

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._desk: ReplayDesk | None = None
        self._lock = threading.Lock()

    def _made(self) -> ReplayDesk:
        from streams.replay_desk import ReplayDesk  # here: the console is to be there soon

        with self._lock:
            self._desk = self._desk or ReplayDesk(self._settings)
            return self._desk

    def start(self, author: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Begin a replay."""
        return self._made().start(author, asked)

    def all(self) -> list[dict[str, Any]]:
        """List the latest replays."""
        return self._desk.all() if self._desk is not None else []

    def get(self, id: str) -> dict[str, Any] | None:
        """Tell of a replay."""
        return self._desk.get(id) if self._desk is not None else None

    def cancel(self, id: str) -> bool:
        """End or forget a replay."""
        return self._desk is not None and self._desk.cancel(id)


class System:
    """Look at the system and back it up; what that needs is loaded with the first."""

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._desk: SystemDesk | None = None
        self._lock = threading.Lock()

    def _made(self) -> SystemDesk:
        from streams.system_desk import SystemDesk  # here: the console is to be there soon

        with self._lock:
            self._desk = self._desk or SystemDesk(self._settings)
            return self._desk

    def checks(self) -> dict[str, Any]:
        """Say what the last look found."""
        return self._made().checks()

    def check(self) -> None:
        """Begin to look."""
        self._made().check()

    def backups(self) -> dict[str, Any]:
        """List the backups."""
        return self._made().backups()

    def back_up(self, actor: str) -> None:
        """Begin to take one."""
        self._made().back_up(actor)


class Drills:
    """List and play the site's drills; what that needs is loaded with the first."""

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._desk: DrillDesk | None = None
        self._lock = threading.Lock()

    def _made(self) -> DrillDesk:
        from streams.drill_desk import DrillDesk  # here: the console is to be there soon

        with self._lock:
            self._desk = self._desk or DrillDesk(self._settings, self._site)
            return self._desk

    def _site(self) -> Site:
        return bundle.unpack(publication.read(self._settings.data_folder)).site

    def scripts(self) -> list[dict[str, Any]]:
        """List the scripts of drills."""
        return self._made().scripts()

    def last(self) -> dict[str, Any] | None:
        """Tell how the last drill goes that was begun here."""
        return self._desk.last() if self._desk is not None else None

    def begin(self, name: str, actor: str) -> str:
        """Begin a script."""
        return self._made().begin(name, actor)


class Drafts:
    """Open, check and publish drafts of rules; what they need is loaded with the first."""

    def __init__(self, found: Settings) -> None:
        self._settings = found
        self._desk: DraftDesk | None = None
        self._lock = threading.Lock()

    def _made(self) -> DraftDesk:
        from streams.draft_desk import DraftDesk  # here: the console is to be there soon

        with self._lock:
            self._desk = self._desk or DraftDesk(self._settings)
            return self._desk

    def opened(self, id: str) -> dict[str, Any] | None:
        """Give a rule that is in force as text."""
        return self._made().opened(id)

    def history(self, id: str) -> list[dict[str, Any]]:
        """List the publications that changed a rule."""
        return self._made().history(id)

    def words(self) -> dict[str, list[str]]:
        """List what rules of this site may name."""
        return self._made().words()

    def check(self, text: str) -> dict[str, Any]:
        """Say what is wrong with a draft and how its tests went."""
        return self._made().check(text)

    def shadow(self, id: str, text: str, author: str, reason: str) -> tuple[str, Sequence[Outgoing]]:
        """Make what runs a draft in the shadow."""
        return self._made().shadow(id, text, author, reason)

    def publish(self, id: str, text: str, base: str, author: str, reason: str) -> dict[str, Any]:
        """Put a draft in force, or propose it."""
        return self._made().publish(id, text, base, author, reason)


def callbacks(found: Settings, content: Bundle) -> dict[str, bytes]:
    """Read the keys of the callbacks that targets have."""
    if found.notify_file is None:
        return {}
    from streams import telling  # here: most sites have none, and the console is to be there soon

    return telling.callbacks(found, content.site)


def provider(found: Settings, site: Site) -> Client | None:
    """Make the client of the site's provider, by which people sign in. A file that cannot be used costs that way in."""
    if found.sign_in_file is None:
        return None
    from alerts.console.oidc import client, file  # here: few sites have one, and the console is to be there soon
    from alerts.notifiers.targets import TargetError
    from sensors.document import DocumentError

    try:
        return client.open_client(file.read(found.sign_in_file, site), site)
    except (DocumentError, TargetError) as error:  # it was sound when the run began: passwords are still taken
        logger.error("nobody can sign in by the provider, error=%s", str(error).partition("\n")[0])
        return None


def configure(found: Settings, content: Bundle) -> ConsoleConfig:
    """Compose the console's configuration."""
    feed = HubClient(found.hub_path)
    names = {point.index: point.id for point in content.site.points}
    following = Following(found.data_folder, version_of(bundle.pack(content)), lambda _: None)

    def attach(console: Console) -> None:
        loop = asyncio.get_running_loop()

        def adopt(content: Bundle) -> None:
            names.update((point.index, point.id) for point in content.site.points)  # one that is gone keeps its name
            loop.call_soon_threadsafe(console.adopt, Registry(content.site), shown(content), content.triage)

        following.take = adopt
        following.start()
        figures = keep_writing(found.data_folder, "console", lambda: told(console, following.version))
        _signs.append(loop.create_task(figures))

    return ConsoleConfig(
        data=found.data_folder,
        site=content.site,
        journal=found.journal_url,
        shared=found.journal_url if found.cluster else "",
        feed=feed,
        rules=shown(content),
        host=found.host,
        port=found.port,
        folder=found.site_folder,
        decode_scores=decode_scores,
        history=Backlog(found).scores,
        recorded=Backlog(found).between,
        seen=Backlog(found).seen,
        past=LongPast(found) if found.keeps_history else None,
        quarantine=QuarantineAccess(found.data_folder, found.log, names, feed),
        attach=attach,
        processes=lambda: processes(found),
        publications=lambda: publications(found),
        models=lambda: models(found),
        triage=content.triage,
        publish=lambda asked: publish(found, asked),
        rule_desk=RuleDesk(found),
        rule_text=lambda id: rule_text(found, id),
        model_desk=ModelDesk(found),
        replay_desk=None if found.kafka and not found.archive else Replays(found),
        system=System(found),
        drill_desk=Drills(found),
        draft_desk=Drafts(found),
        newest=Looking(socket_of(found.data_folder)).newest,
        callbacks=callbacks(found, content),
        font=found.pdf_font,
        second_step=found.second_step,
        provider=provider(found, content.site),
        started=_started,
    )


_signs: list[asyncio.Task[None]] = []  # held here: the loop itself would let go of a task that nobody holds


def _started() -> None:
    """Tell the parent that requests are answered, and from now on that the event loop turns."""
    child.ready()
    _signs.append(asyncio.get_running_loop().create_task(child.parent().keep_alive()))


def main() -> None:
    """Run the console until SIGTERM."""
    found = settings.load()
    child.begin("console", found)
    importlib.import_module("alerts.console.server")  # takes its time, in which the worker makes the journal
    child.await_site()
    content = bundle.unpack(publication.read(found.data_folder))
    child.await_journal(found.journal_url)
    serve(configure(found, content))


if __name__ == "__main__":
    main()
