"""Which sites can be moved where, and which moves are refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams import bundle, publication, settings, supervisor
from streams.bundle import Bundle
from streams.embedded import settled
from streams.embedded.schema import LogError
from streams.embedded.store import Log
from streams.migration import ends
from streams.migration.moving import Move
from streams.migration.report import MigrationError
from streams.migration.state import Kept, State
from streams.settings import Settings
from tests.streams.small_site import rules, site

KAFKA = "kafka://127.0.0.1:9/nowhere"


def settled_in(folder: Path, id: str = "small") -> Settings:
    """Make a data folder in which a site has run."""
    folder.mkdir()
    publication.write(folder, bundle.pack(Bundle(site=msgspec.structs.replace(site(), id=id), rules=rules())))
    with Log(folder / "log.sqlite"):
        pass
    return settings.load({}, data=str(folder))


def test_two_files_are_no_move(tmp_path: Path) -> None:
    here = settled_in(tmp_path / "a")
    with pytest.raises(MigrationError, match=r"both logs are a file .*from a file to Kafka or back"):
        Move(here, settings.load({}, data=str(tmp_path / "b")))


def test_nothing_cannot_be_moved(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=r"nothing has run in .*there is no site to move"):
        Move(settings.load({}, data=str(tmp_path)), settings.load({}, data=str(tmp_path), broker=KAFKA))


def test_a_site_is_not_moved_over_another(tmp_path: Path) -> None:
    here, other = settled_in(tmp_path / "a"), settled_in(tmp_path / "b", id="other")
    there = settings.load({}, data=other.data, broker=KAFKA)
    with pytest.raises(MigrationError, match="the site to be moved is small, and the target's is other"):
        Move(here, there)


def test_a_log_of_before_is_not_gone_on_with_unless_this_move_made_it(tmp_path: Path) -> None:
    here = settled_in(tmp_path / "a")
    there = settings.load({}, data=here.data, broker=KAFKA)
    with pytest.raises(MigrationError, match="is of before: move it away, or name another data folder"):
        Move(there, here)
    Kept(here.data_folder).write(State(source="a", target="b", site="small"))
    Move(there, here)


def test_both_ends_may_not_run(tmp_path: Path) -> None:
    here, other = settled_in(tmp_path / "a"), settled_in(tmp_path / "b")
    there = settings.load({}, data=other.data, broker=KAFKA)
    with supervisor.take_lock(there.data_folder), pytest.raises(MigrationError, match="both ends would run; stop it"):
        Move(here, there).plan()


def test_what_was_moved_is_neither_moved_nor_run_again(tmp_path: Path) -> None:
    here = settled_in(tmp_path / "a")
    settled.mark(here.log_file, settled.MOVED, "kafka://there/else")
    with pytest.raises(MigrationError, match="was moved to kafka://there/else and runs there"):
        Move(here, settings.load({}, data=str(tmp_path / "b"), broker=KAFKA)).plan()
    with pytest.raises(LogError, match="was moved to kafka://there/else and runs there"):
        Log(here.log_file)
    with pytest.raises(MigrationError, match="was moved to"):
        Move(here, settings.load({}, data=str(tmp_path / "b"), broker=KAFKA)).give_up()


def test_a_hand_over_that_did_not_end_can_be_taken_back(tmp_path: Path) -> None:
    here = settled_in(tmp_path / "a")
    settled.mark(here.log_file, settled.LEAVING, KAFKA)
    with pytest.raises(LogError, match="call `foreshock migrate` again, or take it back with --give-up"):
        Log(here.log_file)
    move = Move(here, settings.load({}, data=str(tmp_path / "b"), broker=KAFKA))
    assert move.give_up() and not move.give_up()
    Log(here.log_file).close()


def test_a_file_of_settings_is_read_as_systemd_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORESHOCK_JOURNAL", "postgresql+psycopg://of@another/end")
    monkeypatch.setenv("FORESHOCK_RETENTION_DAYS", "7")
    file = tmp_path / "cluster.env"
    file.write_text(f"# ours\nexport FORESHOCK_BROKER='{KAFKA}'\n\nPATH=/bin\nFORESHOCK_DATA=\"/tmp/a b\" # here\n")
    found = ends.read(file)
    assert (found.broker, found.data, found.retention_days, found.journal) == (KAFKA, "/tmp/a b", 7.0, "")
    assert ends.read(tmp_path).data == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FORESHOCK_BROKR=x", "cluster.env:1: there is no setting FORESHOCK_BROKR"),
        ("\nFORESHOCK_DATA=a b", "cluster.env:2: write NAME=VALUE"),
        ("FORESHOCK_DATA='a", "cluster.env:1: No closing quotation"),
        ("x" * 70_000, "has more than 65536 characters"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "cluster.env"
    file.write_text(text)
    with pytest.raises(MigrationError, match=said):
        ends.read(file)
