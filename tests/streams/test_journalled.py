"""Whether the journal has what the log says was decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.journal import Journal
from alerts.outcome import AlarmTransition
from alerts.retention import redacted
from alerts.tables import transitions
from sensors import observation
from sensors.observation import SystemEvent
from streams.embedded.store import Log
from streams.journalled import journalled
from streams.replay import outcomes
from streams.station import Station
from streams.stretch import Stretch
from streams.topics import GROUP, OBSERVATIONS
from tests.streams.small_site import START
from tests.streams.test_course import live, whole
from tests.streams.test_station import TOPICS, work


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.sqlite", TOPICS) as opened:
        live(opened)
        yield opened


@pytest.fixture
def journal(log: Log, tmp_path: Path) -> Iterator[Journal]:
    made = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    made.record(outcomes(log, 0))
    yield made
    made.close()


def test_a_journal_that_was_fed_from_the_log_has_it_all(log: Log, journal: Journal) -> None:
    found = journalled(log, journal, whole(log))
    assert found.agrees and found.first is None
    assert found.recorded == found.replayed == found.same > 10 and found.transitions > 8


def test_what_stands_at_its_default_is_the_same_on_both_sides(log: Log, journal: Journal) -> None:
    down = SystemEvent(component="worker", state="down", time=START + 500, detail="ended by SIGKILL")
    log.write([(OBSERVATIONS, 0, None, observation.encode(down))])
    work(log, Station(0, log, log.committed(GROUP, OBSERVATIONS, 0)))
    journal.record(outcomes(log, 0))
    found = journalled(log, journal, whole(log))
    assert found.agrees and found.same == found.recorded
    told = [one for record in outcomes(log, 0) for one in record.outcomes if isinstance(one, AlarmTransition)]
    assert any(one.explanation and not one.explanation.hold and one.kind == "system" for one in told)


def test_what_is_missing_or_otherwise_is_named(log: Log, journal: Journal) -> None:
    with journal.engine.begin() as connection:
        first, second, *_ = connection.execute(sa.select(transitions).order_by(transitions.c.position)).all()
        connection.execute(sa.delete(transitions).where(transitions.c.id == second.id))
        forged = {**first.record, "level": "red"}
        connection.execute(sa.update(transitions).where(transitions.c.id == first.id).values(record=forged))
    found = journalled(log, journal, whole(log))
    assert (found.changed, found.missing) == ([first.id], [second.id])
    assert found.first is not None and found.first.id == first.id and found.first.fields == ["level"]
    after = Stretch(0, second.offset + 1, whole(log).stop)
    assert journalled(log, journal, after).agrees


def test_what_is_not_yet_journalled_is_no_fault(log: Log, tmp_path: Path) -> None:
    made = Journal(f"sqlite:///{tmp_path / 'late.sqlite'}")
    assert journalled(log, made, whole(log)).recorded == 0
    some = list(outcomes(log, 0))[:4]
    made.record(some)
    found = journalled(log, made, whole(log))
    made.close()
    assert found.agrees and found.recorded > 0


def test_what_was_redacted_agrees_and_what_was_changed_besides_does_not(log: Log, journal: Journal) -> None:
    with journal.engine.begin() as connection:
        for row in connection.execute(sa.select(transitions.c.id, transitions.c.record)).all():
            changed = sa.update(transitions).where(transitions.c.id == row.id)
            connection.execute(changed.values(record=redacted(row.record)))
    assert journalled(log, journal, whole(log)).agrees
    with journal.engine.begin() as connection:
        connection.execute(changed.values(record={**row.record, "level": "blue", "redacted": True}))
    assert journalled(log, journal, whole(log)).changed == [row.id]
