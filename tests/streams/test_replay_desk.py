"""Replays that the console starts, in their own process: progress, the difference, cancelling, limits."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from alerts.journal import Journal
from streams import bundle, publication, replay_desk, shelf
from streams.archive.place import Place
from streams.embedded.store import Log
from streams.processes.replay import Asked, run
from streams.replay import ReplayError
from streams.replay_desk import BusyError, ReplayDesk
from streams.settings import Settings
from tests.scripts.test_replay import made, written
from tests.streams.archive.past import archived
from tests.streams.archive.test_archiver import cut_off
from tests.streams.small_site import START
from tests.waiting import until

WAITS = 120.0


def asked(**more: Any) -> dict[str, Any]:
    return {"text": "", "version": "", "against": "", "from": None, "to": None} | more


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data=str(made(tmp_path_factory.mktemp("data"))))


@pytest.fixture(scope="module")
def calmer(tmp_path_factory: pytest.TempPathFactory) -> str:
    return (written(tmp_path_factory.mktemp("draft"), 30.0) / "all.yaml").read_text()


def ended(desk: ReplayDesk, id: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        told = desk.get(id)
        return told if told is not None and told["state"] != "running" else None

    return until(found, WAITS)


def test_a_draft_is_replayed_and_held_against_what_was_published(settings: Settings, calmer: str) -> None:
    desk = ReplayDesk(settings)
    begun = desk.start("user:li", asked(text=calmer))
    assert begun["state"] == "running" and "result" not in begun
    with pytest.raises(BusyError):
        desk.start("user:wang", asked(text=calmer))
    told = ended(desk, begun["id"])
    assert told["state"] == "done", told["reason"]
    assert told["done"] == told["total"] > 0
    assert told["result"]["recorded"]["agrees"]
    assert told["result"]["counts"]["lost"] + told["result"]["counts"]["later"] > 0
    assert [one["id"] for one in desk.all()] == [begun["id"]]
    again = ended(desk, desk.start("user:li", asked(text=calmer))["id"])  # by the scores that were kept
    assert again["result"] == told["result"]


def test_a_draft_of_one_rule_leaves_the_others_as_they_are(settings: Settings, calmer: str) -> None:
    desk = ReplayDesk(settings)
    rules = yaml.safe_load(calmer)["rules"]
    one = yaml.safe_dump({"rules": rules[:1]})
    told = ended(desk, desk.start("user:li", asked(text=one, keep=True))["id"])
    assert told["state"] == "done", told
    assert set(told["result"]["by_rule"]) <= {rules[0]["id"]}
    alone = ended(desk, desk.start("user:li", asked(text=one))["id"])
    assert alone["result"]["counts"]["lost"] >= told["result"]["counts"]["lost"]


def test_a_publication_may_stand_beside_the_rules_in_force_too(settings: Settings, calmer: str) -> None:
    whole = bundle.unpack(publication.read(settings.data_folder))
    packed = bundle.pack(msgspec.structs.replace(whole, rules=whole.rules[1:]))
    desk, version = ReplayDesk(settings), bundle.version_of(packed)
    shelf.keep(settings.data_folder, shelf.Kept(version=version, time=1.0, author="user:li"), packed)
    kept, alone = (
        ended(desk, desk.start("user:li", asked(version=version, keep=keep))["id"])["result"]["counts"]
        for keep in (True, False)
    )
    assert kept["lost"] == 0 < alone["lost"]


def test_rules_with_mistakes_are_told_with_their_places(settings: Settings, calmer: str) -> None:
    desk = ReplayDesk(settings)
    told = ended(desk, desk.start("user:li", asked(text=calmer.replace("value > 30.0", "vlaue > 30.0")))["id"])
    assert told["state"] == "failed" and told["problems"] and "vlaue" in str(told["problems"])
    told = ended(desk, desk.start("user:li", asked(text="rules: [*x]"))["id"])
    assert told["state"] == "failed" and told["problems"]
    told = ended(desk, desk.start("user:li", asked(version="0123456789ab"))["id"])
    assert told["state"] == "failed" and "there is no publication 0123456789ab" in told["reason"]


def test_a_replay_that_runs_is_ended_by_who_no_longer_wants_it(settings: Settings, calmer: str) -> None:
    desk = ReplayDesk(settings)
    begun = desk.start("user:li", asked(text=calmer))
    assert desk.cancel(begun["id"]) and not desk.cancel("none")
    told = desk.get(begun["id"])
    assert told is not None and told["state"] == "cancelled"
    process = desk._all[begun["id"]].process
    assert process is not None
    until(lambda: process.poll() is not None, WAITS)
    assert desk.cancel(begun["id"]) and desk.get(begun["id"]) is None


def test_one_that_takes_too_long_or_dies_is_said_so(settings: Settings, calmer: str) -> None:
    late = ReplayDesk(settings, seconds=0.05)
    told = ended(late, late.start("user:li", asked(text=calmer))["id"])
    assert told["state"] == "failed" and "longer than 0.05 s" in told["reason"]
    desk = ReplayDesk(settings)
    begun = desk.start("user:li", asked(text=calmer))
    process = desk._all[begun["id"]].process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    told = ended(desk, begun["id"])
    assert told["state"] == "failed" and "ended by itself" in told["reason"]


def test_one_that_wants_too_much_memory_fails_alone(settings: Settings, calmer: str) -> None:
    desk = ReplayDesk(settings, memory=24 << 20)
    told = ended(desk, desk.start("user:li", asked(text=calmer))["id"])
    assert told["state"] == "failed" and "memory" in told["reason"]


def test_few_are_remembered(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_desk, "KEPT", 2)
    desk = ReplayDesk(settings)
    for _ in range(3):
        ended(desk, desk.start("user:li", asked(version="0123456789ab"))["id"])
    assert len(desk.all()) == 2


def test_where_there_is_no_log_it_says_so(tmp_path: Path, calmer: str) -> None:
    data = made(tmp_path)
    Log.open_readonly(data / "log.sqlite").close()
    desk = ReplayDesk(Settings(data=str(data), broker=f"sqlite:///{tmp_path / 'none.sqlite'}"))
    told = ended(desk, desk.start("user:li", asked(text=calmer))["id"])
    assert told["state"] == "failed" and "there is no log here" in told["reason"]


def test_what_the_log_no_longer_has_is_read_out_of_the_archive(calmer: str, tmp_path: Path) -> None:
    """In this process, as below: of a log that has lost its beginning, and of one that is no file."""
    (tmp_path / "data").mkdir()
    data = made(tmp_path / "data")
    log, place = Settings(data=str(data)).log_file, Place(where=str(tmp_path / "archive"))
    archived(log, place)
    cut_off(log, 40)
    for file, begin in ((str(log), START + 30), ("", None)):
        found = run(Asked(data=str(data), log_file=file, place=place, begin=begin, text=calmer))["result"]
        assert found["recorded"]["agrees"] and found["counts"]["lost"] + found["counts"]["later"] > 0
    with pytest.raises(ReplayError, match="no longer holds"):
        run(Asked(data=str(data), log_file=str(log), begin=START + 30, text=calmer))


def test_a_sweep_varies_the_one_rule_of_a_text_against_what_was_judged(
    settings: Settings, calmer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: what starts another one is tried above."""
    Journal(settings.journal_url).close()
    what = {"data": str(settings.data_folder), "log_file": str(settings.log_file), "journal": settings.journal_url}
    found = run(Asked(**what, text=calmer, sweep=True))["result"]
    assert (found["rule"], found["judged"]) == ("creep", 0)
    tries = found["sweep"]
    [as_it_is] = [one for one in tries if one["as_it_is"]]
    assert as_it_is["when"] == "value > 15.0" and as_it_is["alarms"] > 0  # the lowest level
    lowest = min(tries, key=lambda one: (one["threshold"], one["delay"]))
    highest = max(tries, key=lambda one: (one["threshold"], one["delay"]))
    assert lowest["alarms"] >= as_it_is["alarms"] >= highest["alarms"]
    assert not any(one["suggested"] for one in tries)  # nothing was judged: nothing is known to be better
    assert '"total"' in capsys.readouterr().out
    with pytest.raises(ValueError, match="varies one rule"):
        run(Asked(**what, text="rules: []", sweep=True))
