"""What is known of the models in force: who promoted them, and whether their areas have moved on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from models.area.store import decode
from models.promotion import Promotion
from streams import area_models, models_watch
from streams.figures import write_figures
from tests.streams.small_site import site
from tests.streams.test_engine_together import model
from tests.streams.test_renames import renamed

PACKED = model()
STORED = decode(PACKED)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    area_models.keep(tmp_path, PACKED)
    area_models.set_promoted(tmp_path, {"a0": [Promotion(STORED.version, "cli:an", 5.0, "first")]})
    return tmp_path


def counts(rows: float, joint: float, each: float) -> dict[str, object]:
    return {"area": "a0", "version": STORED.version, "rows": rows, "outside": [joint, each, 0.0]}


def test_what_is_promoted_is_listed_before_anything_runs(data: Path) -> None:
    (found,) = models_watch.watched(data, site())
    assert (found.area, found.version, found.points) == ("a0", STORED.version, ("p0", "p3"))
    assert found.promoted == Promotion(STORED.version, "cli:an", 5.0, "first")
    assert found.drift is None and found.warning == {}


def test_drift_is_said_in_both_languages_and_names_the_points(data: Path) -> None:
    write_figures(data, "worker", {"models": [counts(4000.0, 2000.0, 3900.0)]})
    (found,) = models_watch.watched(data, site())
    assert found.drift is not None and found.drift.drifted and found.drift.points == ("p0",)
    assert f"model {STORED.version} of a0 is older than its data's drift: 50% of rows" in found.warning["en"]
    assert "moved: p0" in found.warning["en"] and "已落后于数据漂移" in found.warning["zh"]
    write_figures(data, "worker", {"models": [counts(4000.0, 410.0, 800.0)]})
    (found,) = models_watch.watched(data, site())
    assert found.drift is not None and not found.drift.drifted and found.warning == {}


def test_what_the_worker_has_in_force_counts_and_once_it_ends_what_is_promoted(data: Path) -> None:
    write_figures(data, "worker", {"models": []})
    assert models_watch.watched(data, site()) == [], "promoted, and not taken up yet"
    file = data / "run" / "worker.json"
    told = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode({**told, "time": told["time"] - 60.0, "models": [counts(9.0, 1.0, 1.0)]}))
    (found,) = models_watch.watched(data, site())
    assert found.drift is not None and found.drift.rows == 9.0


def test_a_renamed_area_and_point_are_shown_under_the_names_of_now(data: Path) -> None:
    write_figures(data, "worker", {"models": [counts(4000.0, 2000.0, 3900.0) | {"area": "b0"}]})
    (found,) = models_watch.watched(data, renamed(site()))
    assert (found.area, found.points) == ("b0", ("q0", "p3"))
    assert found.drift is not None and found.drift.points == ("q0",)
    assert found.promoted is not None and found.promoted.by == "cli:an"


@pytest.mark.parametrize("hostile", [{"models": 5}, {"models": [7, {}, {"version": STORED.version, "outside": [1.0]}]}])
def test_damaged_figures_are_no_figures(data: Path, hostile: dict[str, object]) -> None:
    write_figures(data, "worker", hostile)
    assert all(one.drift is None for one in models_watch.watched(data, site()))


def test_what_was_promoted_before_promotions_were_signed_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "promoted.json").write_bytes(b'{"a0":["0123456789ab"]}')
    assert area_models.promoted(tmp_path) == {"a0": [Promotion("0123456789ab")]}


def test_promotions_of_a_former_name_come_before_those_of_the_present() -> None:
    old, new = Promotion("1" * 12), Promotion("2" * 12)
    found = area_models.under_present_names({"a0": [old], "b0": [new], "gone": [old]}, renamed(site()))
    assert found == {"b0": [old, new], "gone": [old]}


def test_what_a_site_lacks_is_named() -> None:
    assert area_models.missing(STORED, renamed(site())) == []
    other = decode(model("nowhere", ("p0", "elsewhere")))
    assert area_models.missing(other, site()) == ["nowhere", "elsewhere"]


def test_a_damaged_model_is_named_and_never_taken_for_another(data: Path) -> None:
    (file,) = (data / area_models.FOLDER).glob("*.model")
    packed = bytearray(file.read_bytes())
    place = packed.index(b"channels.centre") + 40
    packed[place] ^= 1
    file.write_bytes(bytes(packed))
    found, wrong = area_models.listed(data)
    assert not found
    assert len(wrong) == 1 and file.name in wrong[0] and ("damaged" in wrong[0] or "not" in wrong[0])
