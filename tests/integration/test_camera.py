"""A landslide over real MQTT with real footage: the incident has the camera's picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sensors.camera.clip import unpacked
from tests.integration.running import ROOT, environment, running
from tests.waiting import until

pytestmark = pytest.mark.server

FOOTAGE = Path(__file__).parents[3] / "shared" / "data" / "video" / "vtest.avi"


def pictures(client: Any, incident: str, least: int) -> list[dict[str, Any]]:
    """Return an incident's pictures when there are enough."""
    found: list[dict[str, Any]] = client.get(f"/incidents/{incident}").json()["snapshots"]
    return found if len(found) >= least else []


def filmed(client: Any, incident: str) -> str | None:
    """Return the address of an incident's clip, once there is one."""
    found = client.get(f"/incidents/{incident}").json()["snapshots"]
    return next((one["clip"] for one in found if one["clip"]), None)


def shown(answer: Any) -> bytes | None:
    return answer.content if answer.status_code == 200 else None


@pytest.mark.skipif(not FOOTAGE.exists(), reason="the footage of a street camera is not at hand")
def test_a_landslide_attaches_the_cameras_picture_to_its_incident(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--camera", f"slope-01-cam-1={FOOTAGE}") as product:
        client = product.token("viewer")
        scene = subprocess.Popen(
            [
                *(sys.executable, "-m", "scripts.cli", "simulate", "--scene", "landslide", "--history", "30"),
                *("--speed", "120", "--seconds", "2400", "--port", str(product.mqtt_port), "--quiet"),
            ],
            cwd=ROOT,
            env=environment(),
        )
        try:
            incident = until(
                lambda: next(
                    (
                        found
                        for one in client.get("/incidents", params={"area": "slope-01"}).json()["items"]
                        if (found := client.get(f"/incidents/{one['id']}").json())["snapshots"]
                    ),
                    None,
                ),
                90,
                "an incident with a picture",
            )
        finally:
            scene.terminate()
            scene.wait(30)
        several = until(lambda: pictures(client, incident["id"], 4), 15, "pictures of before and after the alarm")
        times = [one["time"] for one in several]
        assert max(times) - min(times) >= 3, "they show different moments"
        assert len({one["url"] for one in several}) == len(several)
        snapshot = incident["snapshots"][0]
        assert snapshot["camera"] == "slope-01-cam-1"
        assert incident["simulated"]
        name = snapshot["url"].rsplit("/", 1)[-1]
        stored = (product.data / "snapshots" / name).read_bytes()
        served = client.get(snapshot["url"].removeprefix("/api/v1"))
        assert served.status_code == 200
        assert served.content == stored
        clip = until(lambda: filmed(client, incident["id"]), 15, "the moving clip")
        frames = unpacked(client.get(clip.removeprefix("/api/v1")).content)
        assert len(frames) >= 20 and frames[-1][0] - frames[0][0] >= 5, "more than a picture a second"
        first, last = (cv2.imdecode(np.frombuffer(frames[at][1], np.uint8), cv2.IMREAD_COLOR) for at in (0, -1))
        assert first.shape[1] == 480 and np.abs(first.astype(int) - last).mean() > 0.5, "something moves"
        picture = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)
        film = cv2.VideoCapture(str(FOOTAGE))
        assert picture.shape == (film.get(cv2.CAP_PROP_FRAME_HEIGHT), film.get(cv2.CAP_PROP_FRAME_WIDTH), 3)
        assert picture.std() > 20, "a picture of something"

        duty = product.token("duty")
        still = until(lambda: shown(duty.get("/cameras/slope-01-cam-1/still.jpg")), 10, "a still")
        assert cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR).shape == picture.shape
        with duty.stream("GET", "/cameras/slope-01-cam-1/live.mjpeg") as live:
            assert live.headers["content-type"].startswith("multipart/x-mixed-replace")
            received = b""
            for part in live.iter_bytes():
                received += part
                if received.count(b"Content-Type: image/jpeg") == 2:
                    break
        assert client.get("/cameras/slope-01-cam-1/still.jpg").status_code == 403, "a viewer may not look live"
        assert duty.get("/cameras/slope-01-cam-9/still.jpg").status_code == 404
        assert (product.data / "run" / "cameras.sock").stat().st_mode & 0o777 == 0o600
        told = client.get("/cameras/operations").json()
        assert next(one for one in told["cameras"] if one["camera"] == "slope-01-cam-1")["state"] == "live"
