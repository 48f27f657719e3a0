"""A landslide over real MQTT with real footage: the incident has the camera's picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.integration.running import ROOT, environment, running
from tests.waiting import until

pytestmark = pytest.mark.server

FOOTAGE = Path(__file__).parents[3] / "shared" / "data" / "video" / "vtest.avi"


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
            scene.wait(5)
        snapshot = incident["snapshots"][0]
        assert snapshot["camera"] == "slope-01-cam-1"
        assert incident["simulated"]
        name = snapshot["url"].rsplit("/", 1)[-1]
        stored = (product.data / "snapshots" / name).read_bytes()
        served = client.get(snapshot["url"].removeprefix("/api/v1"))
        assert served.status_code == 200
        assert served.content == stored
        picture = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)
        film = cv2.VideoCapture(str(FOOTAGE))
        assert picture.shape == (film.get(cv2.CAP_PROP_FRAME_HEIGHT), film.get(cv2.CAP_PROP_FRAME_WIDTH), 3)
        assert picture.std() > 20, "a picture of something"
