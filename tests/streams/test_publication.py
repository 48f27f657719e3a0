from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.triage_folder import promoted
from models.promotion import Promotion
from sensors.site import Text
from streams import bundle, publication, waiting_promotions
from streams.publication import IndicesError
from streams.waiting_promotions import Orders
from tests.few_rules import with_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the district, to change it."""
    return with_rules(tmp_path / "site", "people.yaml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def indices(data: Path) -> dict[str, int]:
    return {point.id: point.index for point in bundle.unpack(publication.read(data)).site.points}


def take_a_point_out(site: Path) -> None:
    slopes = site / "areas" / "slopes.yaml"
    slopes.write_text(slopes.read_text(encoding="utf-8").replace("soil: 2", "soil: 1", 1), encoding="utf-8")


def test_an_unchanged_site_is_not_resolved_twice_and_a_promotion_that_a_run_left_is_noted(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publication.resolve(folder, data)
    monkeypatch.setattr("sensors.registry.load_site", lambda *_: pytest.fail("it was loaded again"))
    assert publication.resolve(folder, data) == first
    waiting_promotions.keep(data, publication.version(data), Orders(triage=[Promotion("in force")]))
    assert publication.resolve(folder, data) == first
    assert promoted(data) == [Promotion("in force")]
    publication.propose(data, b"laid out", "", "user:an", "", 6.0)
    waiting_promotions.keep(data, bundle.version_of(b"laid out"), Orders(triage=[Promotion("laid out")]))
    assert publication.resolve(folder, data) == first
    assert promoted(data) == [Promotion("laid out")] and publication.proposed(data) is None


def test_a_start_goes_on_with_what_may_be_in_the_log_and_with_nothing_that_nobody_approved(
    folder: Path, data: Path
) -> None:
    """Whoever kills a worker at the right moment is no second person, and undoes none's approval."""
    text = (folder / "site.yaml").read_text(encoding="utf-8")
    (folder / "site.yaml").write_text(f"{text}\napproval: two\n", encoding="utf-8")
    first = publication.resolve(folder, data)
    assert first.site.approval == "two"
    renamed = [
        bundle.pack(replace(first, site=replace(first.site, name=Text(name, name))))
        for name in ("approved", "proposed")
    ]
    publication.propose(data, renamed[1], "", "user:an", "", 1.0)
    publication.finish(data)
    assert publication.resolve(folder, data) == first, "only proposed"
    publication.begin(data, publication.Proposal(renamed[0], "", "user:an", "", 1.0))
    assert publication.resolve(folder, data).site.name.en == "approved"
    publication.begin(data, publication.Proposal(b"of another code", "", "user:an", "", 1.0))
    assert publication.resolve(folder, data).site.name.en == "approved"
    assert not (data / publication.PUBLISHING).exists()


def test_points_keep_their_indices_when_others_go(folder: Path, data: Path) -> None:
    publication.resolve(folder, data)
    before = indices(data)
    take_a_point_out(folder)
    publication.resolve(folder, data)
    after = indices(data)
    assert len(after) == len(before) - 1
    assert all(before[id] == index for id, index in after.items())


def test_lost_indices_come_back_from_the_last_resolution(folder: Path, data: Path) -> None:
    publication.resolve(folder, data)
    before = indices(data)
    (data / publication.INDICES).unlink()
    take_a_point_out(folder)
    publication.resolve(folder, data)
    assert all(before[id] == index for id, index in indices(data).items())
    assert (data / publication.INDICES).exists()


def test_damaged_indices_are_refused_with_a_sentence(folder: Path, data: Path) -> None:
    publication.resolve(folder, data)
    (data / publication.INDICES).write_text("{bad")
    with pytest.raises(IndicesError, match=r"points\.json is damaged.*backup"):
        publication.resolve(folder, data)


def test_indices_lost_with_the_resolution_are_refused_beside_a_journal(folder: Path, data: Path) -> None:
    (data / "journal.sqlite").touch()
    with pytest.raises(IndicesError, match="missing beside a journal"):
        publication.resolve(folder, data)


def test_links_begin_where_the_console_is_served_unless_the_site_says(folder: Path, data: Path) -> None:
    assert publication.resolve(folder, data, "http://127.0.0.1:8871").site.console == "http://127.0.0.1:8871"
    main = folder / "site.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "\nconsole: https://desk.example\n", encoding="utf-8")
    assert publication.resolve(folder, data, "http://127.0.0.1:8871").site.console == "https://desk.example"
