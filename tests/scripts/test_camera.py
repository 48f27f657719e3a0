"""Camera health from the command line, on films made here and, where they are at hand, on real ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import Record
from scripts.bench_camera import bench
from scripts.cli import application
from sensors.camera import evaluation
from sensors.camera.evaluation import Trial, clips, trials
from sensors.camera.spoiling import FAULTS, HARMLESS, Spoiler
from sensors.camera.stream import Frame
from sensors.site import Camera, Site, Text
from streams import bundle, publication
from streams.bundle import Bundle
from streams.figures import write_figures
from tests.alerts.cases import change
from tests.sensors.camera.scenery import SIZE, Street
from tests.streams.small_site import site

FOOTAGE = Path(__file__).parents[3] / "shared" / "data" / "video"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(application(), [str(one) for one in arguments])


def operated() -> Site:
    """Make a site with two cameras of a supplier."""
    cameras = tuple(Camera(id=id, name=Text(zh="", en=""), areas=("a0",), supplier="acme") for id in ("k1", "k2"))
    return msgspec.structs.replace(site(), cameras=cameras)


def film(file: Path, frames: int, spoil: Callable[[Frame], Frame] | None = None, after: int = 60) -> Path:
    """Write a film of a street, a frame a second, spoilt after some frames."""
    street = Street()
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 1.0, (SIZE[1], SIZE[0]))
    for number in range(frames):
        frame = street.frame()
        writer.write(spoil(frame) if spoil and number >= after else frame)
    writer.release()
    return file


def test_check_prints_a_line_a_state(tmp_path: Path) -> None:
    file = film(tmp_path / "covered.avi", 90, Spoiler("cover"))
    found = run("camera", "check", file, "--fast", "--json")
    assert found.exit_code == 1, "it ends covered"
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert [line["state"] for line in lines][:3] == ["learning", "good", "fault"]
    assert set(lines[0]) == {"time", "state", "confidences", "judged"}
    assert 0 < lines[2]["confidences"]["cover"] <= 1
    assert lines[2]["time"] - lines[0]["time"] == pytest.approx(64, abs=1)


def test_check_prints_a_table_for_people_and_a_good_camera_ends_well(tmp_path: Path) -> None:
    found = run("camera", "check", film(tmp_path / "good.avi", 40), "--fast")
    assert found.exit_code == 0
    assert [line.split()[1] for line in found.stdout.splitlines()] == ["learning", "good"]


def test_check_leaves_out_what_is_to_be_ignored(tmp_path: Path) -> None:
    file = film(tmp_path / "black.avi", 80, Spoiler("black"))
    assert run("camera", "check", file, "--fast").exit_code == 1
    assert run("camera", "check", file, "--fast", "--ignore", "black").exit_code == 0
    refused = run("camera", "check", file, "--ignore", "fog")
    assert refused.exit_code == 1 and "--ignore takes black" in refused.stderr


def test_check_of_no_camera_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "none.avi").write_bytes(b"no film")
    found = run("camera", "check", tmp_path / "none.avi")
    assert found.exit_code == 1
    assert "gave no frame" in found.stderr


def test_evaluate_finds_what_is_put_on_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "street.avi", 90)
    monkeypatch.setattr(evaluation, "STRENGTHS", ("strong",))
    found = run("evaluate", "camera", tmp_path, "--json")
    assert found.exit_code == 0, found.stdout
    told = {trial["put_on"]: trial for trial in json.loads(found.stdout)}
    assert set(told) == {"clean", *FAULTS, *HARMLESS}
    assert all(told[fault]["found"] and told[fault]["frames"] <= 30 for fault in FAULTS)
    assert all(told[kind]["told"] == [] for kind in ("clean", *HARMLESS))
    shown = run("evaluate", "camera", tmp_path)
    assert "overexposed" in shown.stdout and "street.avi" in shown.stdout


def test_evaluate_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    assert "there is no film" in run("evaluate", "camera", tmp_path).stderr
    assert "there is no folder" in run("evaluate", "camera", tmp_path / "none").stderr
    (tmp_path / "bad.avi").write_bytes(b"no film")
    assert "cannot open" in run("evaluate", "camera", tmp_path).stderr


@pytest.mark.parametrize(
    ("trial", "good"),
    [
        ({"put_on": "clean"}, True),
        ({"put_on": "clean", "false": 1}, False),
        ({"put_on": "blur", "found": True, "frames": 10}, True),
        ({"put_on": "blur", "found": True, "frames": 11}, False),
        ({"put_on": "freeze", "found": True, "frames": 30}, True),
        ({"put_on": "black", "found": False}, False),
    ],
)
def test_what_counts_as_good(trial: dict[str, object], good: bool) -> None:
    assert Trial(clip="x", **trial).good is good  # type: ignore[arg-type]


@pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the films of ../shared/data/video are not at hand")
def test_all_strong_faults_of_the_real_films_are_found_in_time_and_nothing_on_the_clean_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluation, "STRENGTHS", ("strong",))
    monkeypatch.setattr(evaluation, "HARMLESS", ())
    monkeypatch.setattr(evaluation, "AFTER", 30)
    found = [run(0.0) for clip in clips(FOOTAGE) for run in trials(clip)]
    assert len(found) == 2 * (1 + len(FAULTS))
    assert [trial for trial in found if not trial.good] == []
    assert all(trial.judged for trial in found)


def test_the_bench_gives_its_figures() -> None:
    figures = bench(320, 240, 4)
    assert figures["frame"] == "320x240"
    assert float(figures["us_per_frame"]) > 0
    assert np.isfinite(float(figures["percent_of_a_core_at_one_a_second"]))


def test_list_says_how_cameras_fare_the_worst_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    missing = run("camera", "list", "--data", data)
    assert missing.exit_code == 1
    assert "nothing has run" in missing.output
    data.mkdir()
    content = Bundle(site=operated(), rules=())
    publication.write(data, bundle.pack(content))
    desk, journal = Desk(content.site), Journal(data / "journal.sqlite")
    begun = time.time() - 7200
    fault = change(1, rule="lost", kind="data_quality", area="a0", scope="k2", time=begun)
    journal.record([Record(0, 1, tuple(desk.condition(fault, begun)))])
    told = json.loads(run("camera", "list", "--data", data, "--json").stdout)
    assert [one["camera"] for one in told["cameras"]] == ["k2", "k1"]
    assert told["cameras"][0]["troubled"]
    assert {one["state"] for one in told["cameras"]} == {"never"}
    (data / "run").mkdir()
    write_figures(data, "worker", {"cameras": {"k1": time.time()}})  # it only sends events
    told = json.loads(run("camera", "list", "--data", data, "--json").stdout)
    assert {one["camera"]: one["state"] for one in told["cameras"]} == {"k1": "live", "k2": "never"}
    end = change(0, rule="lost", kind="data_quality", area="a0", scope="k2", time=begun + 3600)
    journal.record([Record(0, 2, tuple(desk.condition(end, begun + 3600)))])
    journal.close()
    shown = run("camera", "list", "--data", data, "--by", "supplier").output
    assert "acme" in shown
    assert "1.0" in shown, "hours to repair"
    wrong = run("camera", "list", "--data", data, "--by", "colour")
    assert wrong.exit_code != 0
    assert "camera, area or supplier" in wrong.output


def test_what_is_neither_a_stream_nor_a_file_is_said_so_at_once(tmp_path: Path) -> None:
    for source, said in (("ftp://me:secret@10.0.0.9/film", "a stream is one of rtsp://"), (tmp_path, "is a folder")):
        told = run("camera", "check", source)
        assert told.exit_code == 1 and said in told.stderr and "secret" not in told.stderr
