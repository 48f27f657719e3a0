"""Is this machine, and this data folder, fit for work? One look after the other; none changes anything."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import DatabaseError

import alerts.console
from alerts.console.accounts import audit
from alerts.console.accounts.store import AUDIT
from alerts.queries import JournalMissing, Reader
from rules.rule import load_rules
from sensors import probe
from sensors.document import DocumentError
from sensors.registry import load_site
from streams import area_models, brokers, bundle, models_watch, publication, supervisor
from streams.kafka.topics import Topics
from streams.looks import Unwell, certificates, clocks, keeps_up
from streams.room import LEAST_FREE
from streams.settings import Settings, SettingsError
from streams.topics_held import topic_specs

STALE_HISTORY = 7200.0
"""Seconds after which a run should have kept something for long: it does so every ten minutes."""

OUTBOX = "outbox.sqlite"
"""The notifier's memory, in the data folder."""

NONE = "none yet"
"""What is said of a file that nothing has made."""


class Finding(msgspec.Struct):
    """One thing that was looked at: whether it is well, and what to do when it is not."""

    what: str
    well: bool
    said: str


def examine(found: Settings, only: str = "") -> Iterator[Finding]:
    """Look at one thing after the other, or at `only` one; a look that fails is a finding itself."""
    looks: list[tuple[str, Callable[[Settings], str]]] = [
        ("python", _python),
        ("opencv", _opencv),
        ("console page", _page),
        ("site", _site),
        ("data folder", _folder),
        ("disk", _disk),
        ("log", _log),
        ("journal", _journal),
        ("outbox", _outbox),
        ("archive", _archive),
        ("models", _models),
        ("accounts", lambda s: _database(s.data_folder / "accounts.sqlite")),
        ("audit", _audit),
        ("keys", _keys),
        ("ports", _ports),
        ("processes", keeps_up),
        ("clocks", clocks),
        ("certificates", certificates),
        ("MQTT brokers", _brokers),
    ]
    if found.influx_url:
        looks.append(("InfluxDB", _influx))
    elif found.keeps_history:
        looks.append(("history", _history))
    with contextlib.suppress(SettingsError):  # the look at all of them tells of it
        for one in brokers.brokers(found):
            if found.mqtt_host or one.name != brokers.MAIN:
                looks.append((f"MQTT broker {one.name}", partial(_broker, one)))
    for what, look in looks:
        if only not in ("", what):
            continue
        try:
            yield Finding(what, True, look(found))
        except Unwell as error:
            yield Finding(what, False, str(error))
        except Exception as error:  # a look must never hide the next one
            yield Finding(what, False, f"{type(error).__name__}: {error}")


def _python(_: Settings) -> str:
    return sys.version.split()[0]


def _opencv(_: Settings) -> str:
    child = subprocess.run(
        [sys.executable, "-c", "import cv2; print(cv2.__version__)"], capture_output=True, text=True, timeout=60
    )
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unwell(f"cv2 does not load ({last}); run `python -m scripts.provide_opencv`")
    return child.stdout.strip()


def _page(_: Settings) -> str:
    index = Path(alerts.console.__file__).parent / "static" / "index.html"
    if not index.exists():
        raise Unwell("not built; run `make web`")
    return "built"


def _site(found: Settings) -> str:
    try:
        site = load_site(found.site_folder)
        count = len(load_rules(found.site_folder / "rules", site, found.site_folder))
    except DocumentError as error:
        raise Unwell(f"{len(error.problems)} problem(s), first {error.problems[0]}; run `foreshock check`") from error
    return f"{found.site_folder}: {len(site.areas)} areas, {len(site.points)} points, {count} rules"


def _folder(found: Settings) -> str:
    folder = found.data_folder
    if not folder.exists():
        return f"{folder} does not exist yet; `foreshock run` makes it"
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Unwell(f"{folder} cannot be written: {error.strerror}") from error
    return str(folder)


def _disk(found: Settings) -> str:
    folder = found.data_folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise Unwell(
            f"{free / 1e9:.1f} GB free of {folder}; make room, or lower FORESHOCK_RETENTION_GIGABYTES: once it is "
            "full nothing is taken any more"
        )
    return f"{free / 1e9:.0f} GB free"


def _log(found: Settings) -> str:
    if found.kafka is None:
        return _database(found.log_file)
    topics = Topics(found.kafka, topic_specs(found, load_site(found.site_folder).partitions), found.kafka_replication)
    changes = asyncio.run(topics.plan())
    if changes:
        raise Unwell(f"{changes[0].topic}: {changes[0].action}, {changes[0].detail}; run `foreshock topics apply`")
    return f"{len(topics.specs)} topics in Kafka at {', '.join(found.kafka.servers)}"


def _database(file: Path) -> str:
    if not file.exists():
        return NONE
    with contextlib.closing(_readonly(file)) as connection:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise Unwell(f"{file} is damaged ({answer}); stop Foreshock and restore it from a backup")
    return f"{file.stat().st_size / 1e6:.1f} MB, sound"


def _journal(found: Settings) -> str:
    said = _database(found.journal_file) if found.journal_file is not None else "in PostgreSQL, answers"
    if said != NONE:
        try:
            Reader(found.journal_url).close()
        except JournalMissing as error:
            raise Unwell(f"{error}; `foreshock journal migrate` tells more") from error
        except DatabaseError as error:
            raise Unwell(f"the database of FORESHOCK_JOURNAL cannot be used: {error.orig}") from error
    return said


def _audit(found: Settings) -> str:
    """Follow the chain from the first entry: any that was changed or taken out since breaks it."""
    file = found.data_folder / "accounts.sqlite"
    if not file.exists():
        return NONE
    engine = create_engine("sqlite://", creator=lambda: _readonly(file))
    try:
        with engine.connect() as connection:
            broken = audit.chain_break(connection)
            count = connection.scalar(select(func.count()).select_from(AUDIT))
    finally:
        engine.dispose()
    if broken is not None:
        raise Unwell(
            f"entry {broken} or one before it was changed or taken out since it was made; compare with a backup, and "
            "see `foreshock users audit`"
        )
    return f"{count} entries, none changed or taken out"


def _readonly(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=5)


def _outbox(found: Settings) -> str:
    file = found.data_folder / OUTBOX
    said = _database(file)
    if not file.exists():
        return said
    with contextlib.closing(_readonly(file)) as connection:
        count = connection.execute("SELECT count(*) FROM letters WHERE dead").fetchone()[0]
    if count:
        raise Unwell(f"{count} order(s) were not delivered and are tried no more; run `foreshock outbox list`")
    return said


def _archive(found: Settings) -> str:
    """Follow the chains by their indexes, and read the newest segment of each."""
    place = found.archive_place
    if place is None:
        return "none is kept; FORESHOCK_ARCHIVE names where"
    from streams.archive.survey import survey  # here: its library need not be loaded by all who look

    seen = survey(place, found.data_folder)
    if seen is None:
        return f"nothing in {place.where} yet"
    if seen.faults:
        first = seen.faults[0]
        raise Unwell(
            f"{len(seen.faults)} fault(s), first {first.name}: {first.said}; run `foreshock archive verify`, compare "
            "with a copy, and see docs/how-to/archive.md"
        )
    return (
        f"{seen.segments} segments, {seen.bytes / 1e6:.1f} MB in {place.where}, to {_utc(seen.until)}; by the indexes "
        "each follows the one before it (`foreshock archive verify` reads them all)"
        + ("; names are in it for longer than FORESHOCK_PERSONAL_DAYS" if _outlasts(found) else "")
    )


def _outlasts(found: Settings) -> bool:
    return bool(found.personal_days) and not 0 < found.archive_days <= found.personal_days


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def _models(found: Settings) -> str:
    folder = found.data_folder
    if not (folder / publication.FILE).exists():
        return "none yet"
    listed, problems = area_models.listed(folder)
    if problems:
        raise Unwell(f"{problems[0]}; remove it, or restore it from a backup")
    watched = models_watch.watched(folder, bundle.unpack(publication.read(folder)).site)
    drifting = [one for one in watched if one.warning]
    if drifting:
        raise Unwell("; ".join(said for one in drifting for said in one.warning.values()))
    return f"{len(listed)} learnt, {len(watched)} in force, none in drift" if listed else "none yet"


def _history(found: Settings) -> str:
    """See whether what is kept for long is kept."""
    from streams.history.parquet import Parquet  # here: it takes long to load
    from streams.history.tiers import tiers

    store = Parquet(found.data_folder / "history", tiers(found))
    until = store.kept().until
    if not until:
        return NONE
    if aside := store.put_aside():
        raise Unwell(
            f"{len(aside)} file(s) could not be read and were put aside, first {aside[0]}: look at the disk, put them "
            "back from a backup or remove them; charts of those days lack what they held"
        )
    behind = time.time() - until
    if behind > STALE_HISTORY and supervisor.holder(found.data_folder) is not None:
        raise Unwell(f"nothing was kept for {behind / 3600:.0f} h; run/history.log of the data folder says why")
    return f"{store.bytes / 1e6:.1f} MB in {store.folder}"


def _influx(found: Settings) -> str:
    """See whether it takes the token, and has what it needs."""
    from streams.history.influx import Influx, InfluxError  # here: its client takes half a second to load
    from streams.history.influx_setup import Setup

    influx = Influx(found)
    try:
        changes = Setup(influx, found).plan()
    except InfluxError as error:
        raise Unwell(f"{found.influx_url} {error}") from error
    finally:
        influx.close()
    if changes:
        one, unseen = changes[0], all(one.kind == "task" and one.action == "create" for one in changes)
        raise Unwell(
            f"{one.name}: {one.action}; run `foreshock history apply`"
            + (", or let the token read tasks if they are there" if unseen else "")
        )
    return f"{found.influx_url} has buckets and tasks as they should be"


def _keys(found: Settings) -> str:
    wrong = [
        str(file)
        for file in (found.data_folder / "secret.key", found.data_folder / "accounts.sqlite")
        if file.exists() and file.stat().st_mode & 0o077
    ]
    if wrong:
        raise Unwell(f"readable by others: {', '.join(wrong)}; run `chmod 600` on them")
    return "for the owner only"


def _brokers(found: Settings) -> str:
    """Check what a run would check before it starts."""
    try:
        signals = load_site(found.site_folder).signals
    except DocumentError:
        signals = None  # the look at the site tells of it
    try:
        listed = brokers.require_usable(found, signals)
    except SettingsError as error:
        raise Unwell(str(error)) from error
    return ", ".join(one.name for one in listed)


def _broker(one: brokers.Broker, found: Settings) -> str:
    """Connect as its bridge would, with a client id of no consequence."""
    host, port = one.address
    refused = probe.probe(
        host, port, username=one.username, password=one.password(found), tls=one.encrypted, version=str(one.version)
    )
    if refused:
        raise Unwell(f"{host}:{port}: {refused}")
    return f"{host}:{port} accepts the connection{' with TLS' if one.encrypted else ''}"


def _ports(found: Settings) -> str:
    said = []
    for what, host, port in (
        ("console", found.host, found.port),
        ("MQTT", found.mqtt_host or "127.0.0.1", found.mqtt_port),
    ):
        begun = time.monotonic()
        try:
            with socket.create_connection((host, port), timeout=2):
                said.append(f"{what} {host}:{port} answers in {(time.monotonic() - begun) * 1000:.0f} ms")
        except OSError:
            said.append(f"{what} {host}:{port} is free")
    process = supervisor.holder(found.data_folder)
    if process is not None:  # its options may have named other ports than the settings that are known here
        return f"process {process} runs on {found.data_folder}; of the ports of these settings {', '.join(said)}"
    if (found.data_folder / publication.FILE).exists() and "free" in said[0]:
        said.append("(not running)")
    return ", ".join(said)
