"""What `foreshock status` prints."""

from __future__ import annotations

import pytest

from scripts.commands import status


def test_what_bridges_and_cameras_refused_is_told_with_what_the_engine_did(capsys: pytest.CaptureFixture[str]) -> None:
    pulse = {
        "time": 1_763_900_000.0,
        "readings_per_second": 1.0,
        "readings": 10,
        "points_live": 1,
        "points_total": 2,
        "engine_lag": 0,
        "gaps": 0,
        "refused": {"duplicate": 2},
        "quarantine": {"duplicate": 2, "malformed": 3, "camera_image_type": 1},
    }
    status._print(pulse, {}, {}, "Asia/Shanghai")
    assert "2 duplicate, 3 malformed, 1 camera_image_type" in capsys.readouterr().out
