"""Replay in several processes: the same as in one, with its progress, and its failures as one sentence."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import msgspec
import pytest

from streams import replaying
from streams.course import Course
from streams.embedded.store import Log, TopicSpec
from streams.replay import ReplayError
from streams.replaying import Task
from streams.stretch import Stretch, stretch
from streams.topics import GROUP, OBSERVATIONS
from tests.streams import askers
from tests.streams.small_site import rules
from tests.streams.test_course import live
from tests.streams.test_station import TOPICS


@pytest.fixture(scope="module")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "log.sqlite"
    with Log(file, TOPICS | {OBSERVATIONS: TopicSpec(partitions=1)}) as log:
        live(log)
    return file


def tasks(log_file: Path) -> list[Task]:
    with Log.open_readonly(log_file) as log:
        where = stretch(log, 0, log.committed(GROUP, OBSERVATIONS, 0) or 0, None, None)
    return [Task(where), Task(where, replaying.pack(rules(16.0)))]


def timeless(courses: list[Course]) -> list[bytes]:
    return [msgspec.msgpack.encode(msgspec.structs.replace(one, cpu=0.0)) for one in courses]


def test_two_processes_give_what_one_gives_in_the_same_order(log_file: Path) -> None:
    both = tasks(log_file)
    one, two, before = [], [], dict(os.environ)
    alone = replaying.replay(log_file, both, 1, one.append)
    together = replaying.replay(log_file, both, 2, two.append)
    assert timeless(alone) == timeless(together)
    assert sum(one) == sum(two) == sum(course.observations for course in alone)
    assert dict(os.environ) == before
    assert alone[0].difference is not None and alone[0].difference.agrees and alone[1].difference is None


def test_what_a_process_cannot_do_is_said(log_file: Path) -> None:
    where = tasks(log_file)[0].where
    strange = msgspec.convert(
        [msgspec.to_builtins(rules()[0]) | {"levels": {"red": {"when": "nonsense > 1"}}}], replaying.Rules
    )
    with pytest.raises(ReplayError, match="cannot be put in force"):
        replaying.replay(log_file, [Task(where), Task(where, replaying.pack(strange))], 2)
    with pytest.raises(ReplayError, match="there is no log here"):
        replaying.replay(log_file.with_name("none.sqlite"), [Task(where)])


def test_the_processes_of_a_replay_end_with_the_one_that_asked_for_them() -> None:
    mine, told = multiprocessing.Pipe(duplex=False)
    one = replaying._server().Process(target=askers.asking, args=(told,))  # type: ignore[attr-defined]
    one.start()
    told.close()
    assert mine.recv() == "begun"
    one.kill()
    assert mine.poll(20)
    with pytest.raises(EOFError):
        mine.recv()


def test_where_there_is_little_to_do_nothing_is_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    monkeypatch.setattr(replaying, "_server", lambda: asked.append(None))
    replaying.get_ready([Stretch(0, 0, 10), Stretch(1, 0, 10)])
    replaying.get_ready([Stretch(0, 0, 10**6)], 8)
    assert not asked
    replaying.get_ready([Stretch(0, 0, 10), Stretch(1, 0, 10)], 2)
    assert asked
