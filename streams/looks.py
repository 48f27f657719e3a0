"""What the doctor sees of a run from inside: does it keep up, what is the time, do its certificates still hold?"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from alerts.queries import open_engine
from streams import brokers, logs, supervisor
from streams.deadman import standing
from streams.embedded.schema import LogError
from streams.figures import read_figures, silent
from streams.settings import Settings, SettingsError
from streams.topics import OBSERVATIONS

MOST_APART = 2.0
"""Seconds that a clock may differ from another before somebody has to look: deadlines go by minutes."""

DAYS = 14.0
"""Days before a certificate ends in which it is to be replaced."""


class Unwell(Exception):
    """Say what is wrong and what to do."""


def keeps_up(found: Settings) -> str:
    """See whether all processes give signs of life, and the engine keeps up with the log."""
    if supervisor.holder(found.data_folder) is None:
        return "not running"
    processes = read_figures(found.data_folder)
    quiet = {name: age for name, age in silent(found.data_folder).items() if name not in processes}
    if quiet:
        name, age = max(quiet.items(), key=lambda one: one[1])
        raise Unwell(f"{name} has said nothing for {age:.0f} s; read run/{name}.log of the data folder")
    if lacks := standing(processes, frozenset()):
        raise Unwell(f"{lacks}; read the logs in run/ of the data folder")
    lag = processes.get("worker", {}).get("engine_lag", 0)
    return f"{len(processes)} processes give signs of life, the engine is {lag} records behind the log"


def clocks(found: Settings, now: Callable[[], float] = time.time) -> str:
    """Hold this machine's clock against the log's newest observation, and against PostgreSQL's."""
    said = []
    if (ahead := _newest(found)) is not None:
        if ahead - now() > MOST_APART:
            raise Unwell(
                f"the newest observation is of {ahead - now():.0f} s after this machine's time: its clock was set "
                "back, or another machine's is ahead; have all follow one time server (timedatectl, chronyc tracking)"
            )
        said.append("none before the log's")
    if found.journal_file is None:
        apart = _database_apart(found, now)
        if abs(apart) > MOST_APART:
            raise Unwell(
                f"PostgreSQL's clock is {apart:+.1f} s from this machine's; have both follow one time server "
                "(timedatectl, chronyc tracking)"
            )
        said.append(f"{apart:+.2f} s to PostgreSQL's")
    return ", ".join(said) or "nothing to hold it against yet"


def _newest(found: Settings) -> float | None:
    """Tell when the newest observation was written; None where none is."""
    if found.kafka is None and not found.log_file.is_file():
        return None
    try:
        with logs.reader(found.log) as log:
            count = log.topics().get(OBSERVATIONS, 0)
            ends = [log.end(OBSERVATIONS, partition) for partition in range(count)]
            times = [log.time_of(OBSERVATIONS, partition, end - 1) for partition, end in enumerate(ends) if end]
    except LogError as error:
        raise Unwell(f"the log cannot be read: {error}") from error
    return max((one for one in times if one is not None), default=None)


def _database_apart(found: Settings, now: Callable[[], float]) -> float:
    engine = open_engine(found.journal_url, readonly=True)
    try:
        with engine.connect() as connection:
            before = now()
            told = float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
            return told - (before + now()) / 2
    finally:
        engine.dispose()


def certificates(found: Settings, now: Callable[[], float] = time.time) -> str:
    """Read when the certificates end that the settings name."""
    files = _files(found)
    if not files:
        return "the settings name none"
    from cryptography import x509  # here: its library takes a moment to load

    ends: list[tuple[datetime, Path]] = []
    for file in files:
        try:
            listed = x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError) as error:
            raise Unwell(f"{file} cannot be read as certificates: {error}") from error
        ends += [(one.not_valid_after_utc, file) for one in listed]
    first, file = min(ends)
    days = (first - datetime.fromtimestamp(now(), UTC)).total_seconds() / 86400
    if days < DAYS:
        how = f"ends in {days:.0f} days" if days > 0 else "has ended"
        raise Unwell(f"a certificate of {file} {how} ({first:%Y-%m-%d %H:%M} UTC); replace it")
    return f"{len(ends)} in {len(files)} file(s), the first ends {first:%Y-%m-%d}"


def _files(found: Settings) -> list[Path]:
    named = [found.kafka_ca_file, found.kafka_cert_file, found.archive_ca_file, found.influx_ca_file]
    try:
        for one in brokers.brokers(found):
            named += [one.ca_file, one.cert_file]
    except SettingsError:  # the look at the brokers tells of it
        named += [found.mqtt_ca_file, found.mqtt_cert_file]
    return [Path(name).expanduser() for name in dict.fromkeys(named) if name]
