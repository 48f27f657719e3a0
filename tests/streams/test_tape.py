"""Scores are worked out once: what is tried by a tape of them comes out as with the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from alerts.outcome import Refused
from models.bank import Bank, BankResult
from rules.rule import Rule
from streams import course, tape_archive
from streams.embedded.store import Log
from streams.replay import outcomes
from streams.stretch import Stretch, stretch
from streams.tape import Floats, Piece, Rows
from streams.tape_archive import TapeArchive
from streams.topics import GROUP, OBSERVATIONS
from tests.rules.stage import a_rule
from tests.streams.lived import Life, every
from tests.streams.small_site import rules
from tests.streams.test_course import live
from tests.streams.test_station import TOPICS

MOST = 1e8


def whole(log: Log) -> Stretch:
    return stretch(log, 0, log.committed(GROUP, OBSERVATIONS, 0) or 0, None, None)


def timeless(one: course.Course) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(one, cpu=0.0))


def apart(log: Log, where: Stretch, sides: Sequence[tuple[Rule, ...] | None]) -> list[bytes]:
    return [timeless(course.run(log, where, rules)) for rules in sides]


@pytest.mark.parametrize("seed", [1, 2])
def test_replayed_together_rules_do_what_they_do_alone(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        Life(log, seed).live(19)
        where = whole(log)
        sides = (None, every(17.0), every(1000.0))
        alone = apart(log, where, sides)
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            first = course.together(log, where, sides, archive=archive)
            assert [timeless(one) for one in first] == alone
            assert archive.covers(0, where.stop)
            again = course.together(log, where, sides[1:], archive=archive)
            assert [timeless(one) for one in again] == alone[1:]
        assert first[1].transitions and first[1].transitions != first[2].transitions
        assert "made anew" not in caplog.text


def test_what_rules_foresee_of_a_few_points_is_asked_of_no_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the others are looked at by the same readings, for what their alarms do."""
    few = a_rule("nears", when="eta('limit') < 2 h or deviation > 9", where={"points": ["p1"]})
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        live(log)
        where = whole(log)
        sides = (None, (*rules(0.1), few))
        alone = apart(log, where, sides)
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            assert [timeless(one) for one in course.together(log, where, sides, archive=archive)] == alone
    assert "made anew" not in caplog.text


def test_a_second_replay_asks_the_models_for_no_more_than_the_rules_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    update = Bank.update

    def counted(self: Bank, rows: Rows, time: Floats, value: Floats) -> BankResult:
        nonlocal asked
        asked += len(rows)
        return update(self, rows, time, value)

    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        live(log)
        where = whole(log)
        monkeypatch.setattr(Bank, "update", counted)
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            told: list[int] = []
            course.together(log, where, (None, rules(17.0)), told.append, archive)
            once, asked = asked, 0
            assert once == course.run(log, where).readings - refused(log)
            asked = 0
            before, after = course.together(log, where, (None, rules(30.0)), told.append, archive)
            assert asked == 0 and after.transitions != before.transitions
            assert sum(told) == 4 * where.stop


def refused(log: Log) -> int:
    return sum(
        one.count for record in outcomes(log, 0) for one in record.outcomes if isinstance(one, Refused) and one.point
    )


def test_a_tape_of_another_log_is_noticed_and_nothing_is_made_of_it(tmp_path: Path) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        live(log)
        where = whole(log)
        alone = apart(log, where, (rules(17.0),))
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            course.together(log, where, (None, rules(17.0)), archive=archive)
            [*pieces] = archive.pieces(0, where.stop)
            for piece in pieces:
                forged = tuple((offset, count, checksum ^ 1) for offset, count, checksum in piece.frames)
                archive.keep(
                    Piece(**{name: getattr(piece, name) for name in piece.__struct_fields__} | {"frames": forged})
                )
            told: list[int] = []
            tried = course.together(log, where, (rules(17.0),), told.append, archive)
            assert [timeless(one) for one in tried] == alone
            assert sum(told) == where.stop


def test_an_archive_keeps_no_more_than_it_may_and_only_what_this_code_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        live(log)
        where = whole(log)
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            course.together(log, where, (None, rules(17.0)), archive=archive)
            assert archive.covers(0, where.stop) and not archive.covers(0, where.stop + 1)
        with TapeArchive(tmp_path / "replay", 0, log, 1.0) as archive:
            assert archive.covers(0, where.stop)
            archive.trim()
            assert not archive.covers(0, where.stop)
            assert archive.course(where) is not None
        monkeypatch.setattr(tape_archive, "code", lambda: b"of another version")
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            assert archive.course(where) is None


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "replay").write_text("a file")
    with Log(tmp_path / "log.sqlite", TOPICS) as log:
        live(log)
        where = whole(log)
        with TapeArchive(tmp_path / "replay", 0, log, MOST) as archive:
            tried = course.together(log, where, (None, rules(17.0)), archive=archive)
        assert [timeless(one) for one in tried] == apart(log, where, (None, rules(17.0)))
