"""Any stretch of a log that was lived replays as it was journalled, transition by transition, whatever happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.journal import Journal
from alerts.outcome import AlarmTransition, CommandResult, Published
from streams import course
from streams.embedded.store import Log
from streams.journalled import journalled
from streams.moments import FOLDER, Moments
from streams.replay import outcomes
from streams.stretch import stretch
from streams.topics import GROUP, OBSERVATIONS
from tests.streams.lived import CLAUSES, STEP, Life, every
from tests.streams.small_site import START
from tests.streams.test_station import TOPICS


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_stretch_replays_as_it_was_journalled(tmp_path: Path, seed: int) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        life = Life(log, seed)
        moments = Moments(tmp_path / FOLDER, 0)
        for _ in range(3):
            life.live(10)
            engine = life.station.engine
            moments.keep(engine.offset, engine.clock, engine.freeze(), 0)
        journal = Journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
        journal.record(outcomes(log, 0))
        stop = log.committed(GROUP, OBSERVATIONS, 0) or 0
        edges = [None, START + 12 * STEP, START + 25 * STEP, None]
        counted = 0
        for begin, end in ((edges[k], edges[k + 1]) for k in range(3)):
            where = stretch(log, 0, stop, begin, end)
            found = course.run(log, where).difference
            assert found is not None and found.agrees, found.first
            assert journalled(log, journal, where).agrees
            counted += found.recorded
        journal.close()
        told = [one for record in outcomes(log, 0) for one in record.outcomes]
        assert counted == len(told)
        assert sum(isinstance(one, AlarmTransition) for one in told) > 30


def test_what_is_lived_has_publications_commands_and_alarms_of_most_clauses(tmp_path: Path) -> None:
    kinds: set[type] = set()
    raised: set[str] = set()
    for seed in (3, 4):
        with Log(tmp_path / f"{seed}.sqlite", TOPICS) as log:
            Life(log, seed).live(40)
            for one in (one for record in outcomes(log, 0) for one in record.outcomes):
                kinds.add(type(one))
                if isinstance(one, AlarmTransition):
                    raised.add(one.rule)
    assert {AlarmTransition, CommandResult, Published} <= kinds
    assert len(raised & {rule.id for rule in every(20.0)}) > 0.6 * len(CLAUSES)
