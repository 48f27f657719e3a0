"""The console process: the HTTP API, its event stream and the page."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from alerts import outcome
from alerts.console import serve
from alerts.console.config import Batch, ConsoleConfig, Publish
from sensors import quarantine
from sensors.lookup import Registry
from streams import bundle, publication, reload, settings, shelf
from streams.bundle import Bundle, version_of
from streams.difference import as_plain
from streams.embedded.reader import LogReader
from streams.embedded.schema import LogError
from streams.figures import keep_writing
from streams.following import Following
from streams.history import columns
from streams.hub import HubClient
from streams.processes import child
from streams.settings import Settings
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE, SCORES

if TYPE_CHECKING:
    from alerts.console.console import Console

HISTORY_RECORDS = 20_000
"""Records of scored readings a partition that fill the charts at start, newest first in count."""

QUARANTINE_LOOK = 5_000
"""Records of the quarantine, and of each partition's outcomes, that one listing looks through."""


class Backlog:
    """What the console reads back from the log, while the worker writes it."""

    def __init__(self, found: Settings) -> None:
        self._file = found.log_file
        self._names: dict[int, str] = {}  # of points, by registry index

    def adopt(self, content: Bundle) -> None:
        """Name points as this version of the site does; one that it no longer has keeps the name it had."""
        self._names = {**self._names, **{point.index: point.id for point in content.site.points}}

    def scores(self) -> Iterator[Batch]:
        """Yield the latest records of scored readings, oldest first."""
        try:
            log = LogReader(self._file)
        except LogError:
            return
        with log:
            for partition in range(log.topics().get(SCORES, 0)):
                at = max(log.start(SCORES, partition), log.end(SCORES, partition) - HISTORY_RECORDS)
                while found := log.read(SCORES, partition, at, limit=500):
                    at = found[-1][0] + 1
                    for offset, _, value in found:
                        yield partition, offset, value

    def refused(self, reason: str | None, source: str | None, limit: int) -> list[Mapping[str, Any]]:
        """List what the bridge and the engine refused, the newest first."""
        try:
            log = LogReader(self._file)
        except LogError:
            return []

        def wanted(one: Mapping[str, Any]) -> bool:
            return (reason is None or one["reason"].partition(":")[0] == reason) and source in (None, one["source"])

        listed: list[Mapping[str, Any]] = []
        with log:
            sources = [self._of_bridge(log)]
            sources += [self._of_engine(log, partition) for partition in range(log.topics().get(OUTCOMES, 0))]
            for newest_first in sources:
                listed += islice(filter(wanted, newest_first), limit)
        listed.sort(key=lambda one: -one["time"])  # stable: what came later in the log stays first
        return listed[:limit]

    def _of_bridge(self, log: LogReader) -> Iterator[dict[str, Any]]:
        for offset, _, value in log.newest_first(QUARANTINE, 0, QUARANTINE_LOOK):
            one = quarantine.decode(value)
            raw = one.raw.decode("utf-8", "backslashreplace")
            yield {**msgspec.structs.asdict(one), "raw": raw, "offset": offset}

    def _of_engine(self, log: LogReader, partition: int) -> Iterator[dict[str, Any]]:
        for _, _, value in log.newest_first(OUTCOMES, partition, QUARANTINE_LOOK):
            if b"refused" not in value:  # most are alarms and the like: not worth decoding
                continue
            record = outcome.decode(value)
            for one in reversed(record.outcomes):
                if isinstance(one, outcome.Refused):
                    yield self._readable(one, partition, record.offset)

    def _readable(self, one: outcome.Refused, partition: int, offset: int) -> dict[str, Any]:
        readings = [
            {"point": self._names.get(point, str(point)), "time": time, "value": value}
            for point, time, value in zip(one.point, one.times, one.values, strict=True)
        ]
        named = list(dict.fromkeys(str(reading["point"]) for reading in readings))
        raw = msgspec.json.encode(readings).decode() if readings else ""
        return {
            "time": one.received,
            "source": "engine",
            "topic": f"{OBSERVATIONS}/{partition}",
            "reason": one.reason,
            "detail": ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else ""),
            "readings": one.count,
            "size": len(raw),
            "raw": raw[: quarantine.RAW_LIMIT],
            "offset": offset,
        }


def decode_scores(
    value: bytes,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Turn a record of the `scores` topic into columns."""
    scored = columns.decode(value)
    return scored.point, scored.time, scored.value, scored.score


def shown(content: Bundle) -> dict[str, dict[str, Any]]:
    """Say of each rule what the console shows."""
    return {
        rule.id: {
            "title": msgspec.to_builtins(rule.title),
            "rationale": msgspec.to_builtins(rule.rationale),
            "plan": msgspec.to_builtins(rule.plan),
        }
        for rule in content.rules
    }


def publications(found: Settings) -> list[dict[str, Any]]:
    """List the publications that are kept, the latest first, and which is in force."""
    current = publication.version(found.data_folder)
    return [
        {**msgspec.to_builtins(kept), "in_force": kept.version == current} for kept in shelf.listed(found.data_folder)
    ]


def publish(found: Settings, asked: Publish) -> dict[str, Any]:
    """Put the site folder or an earlier publication in force, or only say what would differ."""
    folder, data = found.site_folder, found.data_folder
    if asked.check:
        prepared = reload.earlier(asked.version, data) if asked.version else reload.prepare(folder, data)
    else:
        prepared, _ = reload.reload(folder, data, asked.author, asked.reason, asked.version, processes=())
    return {
        "version": prepared.version,
        "before": prepared.before,
        "changed": prepared.version != prepared.before,
        "in_force": not asked.check,
        "difference": as_plain(prepared.difference),
    }


def configure(found: Settings, content: Bundle) -> ConsoleConfig:
    """Compose the console's configuration."""
    backlog = Backlog(found)
    backlog.adopt(content)
    following = Following(found.data_folder, version_of(bundle.pack(content)), lambda _: None)

    def attach(console: Console) -> None:
        loop = asyncio.get_running_loop()

        def adopt(content: Bundle) -> None:
            backlog.adopt(content)
            loop.call_soon_threadsafe(console.adopt, Registry(content.site), shown(content))

        following.take = adopt
        following.start()
        figures = keep_writing(found.data_folder, "console", lambda: {"following": following.version})
        _signs.append(loop.create_task(figures))

    return ConsoleConfig(
        data=found.data_folder,
        site=content.site,
        journal=found.journal_url,
        feed=HubClient(found.hub_path),
        rules=shown(content),
        host=found.host,
        port=found.port,
        decode_scores=decode_scores,
        history=backlog.scores,
        quarantine=backlog.refused,
        attach=attach,
        publications=lambda: publications(found),
        publish=lambda asked: publish(found, asked),
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
