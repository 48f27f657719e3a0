"""A model is put in force as a publication: noted, taken back where refused, never further back than was seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts.triage_folder import FOLDER, PROMOTED, in_force, promoted
from models.area.store import decode, version_of
from models.promotion import Promotion
from models.triage.fitting import fit
from models.triage.store import Facts, encode
from streams import area_models, bundle, models_known, publication, reload, triage_models, waiting_promotions
from streams.bundle import Bundle
from streams.difference import lines
from streams.promoting import Done, PromotionError, promote, rollback
from tests.models.triage.verdicts import drawn
from tests.streams.small_site import site
from tests.streams.test_engine_together import model

AREA = model()


def triage_model(data: Path, seed: int = 0, *, turned: bool = False) -> str:
    """Keep a triage model; one that is `turned` is no better than a constant."""
    return triage_models.keep(data, learnt(seed, turned)).version


@cache
def learnt(seed: int, turned: bool) -> bytes:
    """Learn one, once for all tests."""
    told = [verdict for verdict, _ in drawn(300, seed)]
    if turned:
        told = [one if n < 210 else one._replace(real=not one.real) for n, one in enumerate(told)]
    fitted = fit(told)
    facts = Facts(begin=1.0, end=2.0, code="test", trained=3.0 + seed, figures=fitted.figures)
    return encode(fitted.model, facts)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    publication.write(tmp_path, bundle.pack(Bundle(site=site())))
    publication.write_indices(tmp_path, {point.id: point.index for point in site().points})
    return tmp_path


def test_a_triage_model_is_promoted_with_who_when_and_why_and_taken_back(data: Path) -> None:
    first, second = triage_model(data), triage_model(data, 1)
    assert promote(data, site(), first[:8], "user:an", "quieter nights", 5.0) == Done(
        of="triage", version=first, before=""
    )
    assert promoted(data) == [Promotion(first, "user:an", 5.0, "quieter nights")]
    assert not promote(data, site(), first, "user:bo", "", 6.0).changed
    assert promote(data, site(), second, "user:bo", "", 7.0).before == first
    assert promoted(data)[-1].reason == f"triage model {second}"
    assert rollback(data, site(), "triage", "user:an", "").version == first
    assert rollback(data, site(), "triage", "user:an", "").version == ""
    with pytest.raises(PromotionError, match="no triage model is in force"):
        rollback(data, site(), "triage", "user:an", "")


def test_what_is_promoted_is_part_of_the_next_publication_and_told_as_its_difference(data: Path) -> None:
    version = triage_model(data)
    promote(data, site(), version, "user:an", "", 5.0)
    prepared = reload.with_models(data)
    assert prepared.content.triage is not None and version_of(prepared.content.triage) == version
    assert lines(prepared.difference) == ["models added: 1 (triage)"]
    publication.write(data, prepared.packed)
    rollback(data, site(), "triage", "user:an", "")
    again = reload.with_models(data)
    assert again.content.triage == b"" and lines(again.difference) == ["models removed: 1 (triage)"]


def test_a_bundle_of_before_says_nothing_of_triage_and_one_without_is_packed_as_before(data: Path) -> None:
    old = bundle.pack(Bundle(site=site()))
    assert bundle.unpack(old).triage is None and b"triage" not in old
    assert reload.with_models(data).packed == old, "nobody promoted one: nothing is published anew"


def test_a_list_of_versions_as_it_was_written_before_is_still_read(data: Path) -> None:
    version = triage_model(data)
    (data / FOLDER / PROMOTED).write_text(json.dumps([version]))
    assert promoted(data) == [Promotion(version)]
    stored = in_force(data)
    assert stored is not None and stored.version == version
    assert models_known.triage_in_force(data) == version, "no publication says one yet"
    assert reload.with_models(data).content.triage is not None


def test_a_broken_triage_model_keeps_nobody_from_their_alarms(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    version = triage_model(data)
    promote(data, site(), version, "user:an", "", 5.0)
    publication.write(data, reload.with_models(data).packed)
    (data / FOLDER / f"{version}.model").write_bytes(b"other")
    kept = reload.with_models(data).content.triage
    assert kept is not None and version_of(kept) == version, "it stays as it was published"
    assert "stays as it was" in caplog.text
    assert models_known.triage_in_force(data) == version


def test_one_no_better_than_a_constant_and_one_that_is_not_there_are_refused(data: Path) -> None:
    version = triage_model(data, turned=True)
    with pytest.raises(PromotionError, match="no better than always telling the same odds"):
        promote(data, site(), version, "user:an", "", 5.0)
    with pytest.raises(PromotionError, match="no model of version 'abc'"):
        promote(data, site(), "abc", "user:an", "", 5.0)
    with pytest.raises(PromotionError, match="no model of version ''"):
        promote(data, site(), "", "user:an", "", 5.0)
    assert promoted(data) == []


def test_the_model_of_an_area_goes_the_same_way(data: Path) -> None:
    version = area_models.keep(data, AREA).version
    assert promote(data, site(), version, "user:an", "tidier", 5.0) == Done(of="a0", version=version, before="")
    assert [decode(packed).version for packed in area_models.in_force(data)] == [version]
    assert rollback(data, site(), "a0", "user:an", "").before == version
    with pytest.raises(PromotionError, match="no model is in force for a0"):
        rollback(data, site(), "a0", "user:an", "")


def test_who_looked_a_while_ago_goes_back_no_further_than_they_saw(data: Path) -> None:
    first, second = triage_model(data), triage_model(data, 1)
    for version in (first, second):
        promote(data, site(), version, "user:an", "", 5.0)
    with pytest.raises(PromotionError, match=f"{second} is in force by now, not {first}"):
        rollback(data, site(), "triage", "user:bo", "", first)
    assert rollback(data, site(), "triage", "user:bo", "", second).version == first


def test_where_the_run_refuses_it_the_note_is_as_it_was(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = triage_model(data)
    monkeypatch.setattr("streams.supervisor.holder", lambda _: "1")

    def refuse(*_: object, models: Callable[[], reload.Prepared], **__: object) -> None:
        models()
        raise reload.ReloadError("the worker did not take it up")

    monkeypatch.setattr("streams.reload.reload", refuse)
    with pytest.raises(PromotionError, match="did not take it up"):
        promote(data, site(), first, "user:an", "", 5.0)
    assert promoted(data) == []
    assert (data / "models" / waiting_promotions.FILE).read_bytes() == b"{}"


def killed(data: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, laid_out: bool) -> None:
    """Promote in a run, and end before or after the publication is laid out, with nothing put in order."""

    def leave(*_: object, models: Callable[[], reload.Prepared], **__: object) -> None:
        prepared = models()
        if laid_out:
            reload.propose(data, prepared, "user:an", "", 6.0)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("streams.supervisor.holder", lambda _: "1")
        patched.setattr("streams.reload.reload", leave)
        with pytest.raises(KeyboardInterrupt):
            promote(data, site(), version, "user:an", "", 5.0)


def test_who_promotes_and_dies_before_it_is_laid_out_has_promoted_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(data, monkeypatch, triage_model(data), laid_out=False)
    assert promoted(data) == []
    assert reload.with_models(data).packed == publication.read(data), "no later publication brings it in"
    version = area_models.keep(data, AREA).version
    promote(data, site(), version, "user:bo", "", 7.0)
    assert promoted(data) == [] and list(area_models.promoted(data)) == ["a0"]


def test_what_is_laid_out_by_who_died_is_noted_once_by_the_worker_that_puts_it_in_force(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = triage_model(data)
    killed(data, monkeypatch, version, laid_out=True)
    assert promoted(data) == []
    left = publication.proposed(data)
    assert left is not None
    with monkeypatch.context() as patched:  # the worker dies as well, just as it has put it in force
        patched.setattr(waiting_promotions, "settle", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publication.adopt(data, left)
    assert promoted(data) == [] and models_known.triage_in_force(data) == version
    for _ in range(2):  # the next one does it again
        publication.adopt(data, left)
        assert promoted(data) == [Promotion(version, "user:an", 5.0, f"triage model {version}")]
    promote(data, site(), triage_model(data, 1), "user:bo", "", 8.0)
    publication.adopt(data, left)
    assert len(promoted(data)) == 2, "what was noted since is not undone"


def test_a_promotion_after_a_worker_that_died_goes_on_from_what_that_put_in_force(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = triage_model(data), triage_model(data, 1)
    killed(data, monkeypatch, first, laid_out=True)
    left = publication.proposed(data)
    assert left is not None
    publication.write(data, left.packed)  # and no further
    assert promote(data, site(), second, "user:bo", "", 8.0).before == first
    assert [one.version for one in promoted(data)] == [first, second]


def test_one_is_promoted_at_a_time_and_not_beside_one_that_is_still_to_take_force(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = triage_model(data), triage_model(data, 1)
    (data / "run").mkdir()
    monkeypatch.setattr("streams.supervisor.holder", lambda _: "1")

    def meanwhile(*_: object, models: Callable[[], reload.Prepared], **__: object) -> None:
        with pytest.raises(PromotionError, match="somebody else promotes a model just now"):
            promote(data, site(), second, "user:bo", "", 6.0)
        reload.propose(data, models(), "user:an", "", 6.0)
        raise reload.PendingError("the worker has taken it up and is not done")

    with monkeypatch.context() as patched:
        patched.setattr("streams.reload.reload", meanwhile)
        with pytest.raises(PromotionError, match="is not done"):
            promote(data, site(), first, "user:an", "", 5.0)
    with pytest.raises(PromotionError, match="another reload is under way"):
        promote(data, site(), second, "user:bo", "", 7.0)
    left = publication.proposed(data)
    assert left is not None
    publication.adopt(data, left)
    assert [one.version for one in promoted(data)] == [first]


def test_what_is_kept_while_the_worker_notes_another_is_not_lost(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = waiting_promotions.Orders(triage=[Promotion("a", "user:an", 5.0, "")])
    waiting_promotions.keep(data, "v1", orders)
    keeping = threading.Thread(target=waiting_promotions.keep, args=(data, "v2", orders))
    noted = triage_models.set_promoted

    def meanwhile(*given: Any) -> None:
        keeping.start()
        keeping.join(0.05)  # it waits; without a lock it is done by then, and undone next
        noted(*given)

    monkeypatch.setattr(triage_models, "set_promoted", meanwhile)
    waiting_promotions.settle(data, "v1")
    keeping.join(10.0)
    assert [one.version for one in promoted(data)] == ["a"]
    assert list(json.loads((data / "models" / waiting_promotions.FILE).read_bytes())) == ["v2"]


@pytest.fixture
def two(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose site takes a second person: what is proposed waits."""
    monkeypatch.setattr("streams.supervisor.holder", lambda _: "1")

    def wait(*_: object, models: Callable[[], reload.Prepared], **__: object) -> tuple[reload.Prepared, reload.Taken]:
        prepared = models()
        return prepared, reload.Taken(version=prepared.version, in_force=0.0, followed={}, waiting=True)

    monkeypatch.setattr("streams.reload.reload", wait)
    return data


def test_what_a_second_person_rejects_is_not_promoted_nor_in_the_next_publication(two: Path) -> None:
    triage, area = triage_model(two), area_models.keep(two, AREA).version
    assert promote(two, site(), triage, "user:an", "", 5.0).waiting
    assert promote(two, site(), area, "user:an", "", 6.0).waiting
    assert promoted(two) == [] and area_models.promoted(two) == {}
    assert reload.with_models(two).packed == publication.read(two), "rejected: nothing of it is left"
    other = publication.Proposal(bundle.pack(Bundle(site=site(), triage=b"")), "", "user:bo", "other rules", 7.0)
    publication.adopt(two, other)  # what waited was made of a former one
    publication.adopt(two, other)
    assert promoted(two) == [] and area_models.promoted(two) == {}


def test_what_a_second_person_approves_is_noted_once_it_is_in_force_and_taken_back_the_same_way(two: Path) -> None:
    def approve(publication_waiting: str, models: tuple[bytes, ...]) -> None:
        packed = bundle.pack(Bundle(site=site(), models=models))
        assert bundle.version_of(packed) == publication_waiting
        publication.adopt(two, publication.Proposal(packed, "", "user:an", "", 8.0))

    version = area_models.keep(two, AREA).version
    done = promote(two, site(), version, "user:an", "tidier", 5.0)
    approve(done.publication, (AREA,))
    assert area_models.promoted(two) == {"a0": [Promotion(version, "user:an", 5.0, "tidier")]}
    done = rollback(two, site(), "a0", "user:bo", "")
    assert done.waiting and "a0" in area_models.promoted(two)
    approve(done.publication, ())
    assert area_models.promoted(two) == {}


def test_all_models_are_listed_with_their_figures_and_who_promoted_them(data: Path) -> None:
    area, triage = area_models.keep(data, AREA).version, triage_model(data)
    promote(data, site(), triage, "user:an", "calmer", 5.0)
    promote(data, site(), area, "user:bo", "", 6.0)
    (data / "models" / "x.model").write_bytes(b"no")
    found = models_known.known(data, site())
    [one], [ranked], [problem] = found.areas, found.triage, found.problems
    assert (one.area, one.points, one.in_force, one.missing) == ("a0", ("p0", "p3"), True, ())
    assert one.promoted is not None and one.promoted.by == "user:bo"
    assert (ranked.version, ranked.in_force) == (triage, True) and ranked.figures.bins
    assert ranked.promoted is not None and ranked.promoted.reason == "calmer"
    assert "x.model" in problem
