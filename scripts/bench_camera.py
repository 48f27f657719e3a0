"""Time the health of a camera: CPU microseconds a frame after decoding, at usual sizes of frames. JSON lines.

At one frame a second a camera takes as many millionths of a core as there are microseconds a frame; asked for is 2 %.
"""

from __future__ import annotations

import argparse
import json
import time

import cv2
import numpy as np

from sensors.camera.health import Health
from sensors.camera.snapshot import encode

SIZES = ((640, 360), (768, 576), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))


def bench(width: int, height: int, frames: int, seed: int = 1) -> dict[str, float | int | str]:
    """Feed frames of a noisy fixed scene; return the figures of one size."""
    random = np.random.default_rng(seed)
    scene = cv2.resize(random.integers(0, 255, (48, 64, 3), np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    shown = [np.clip(scene + random.normal(0, 3, (height, width, 1)), 0, 255).astype(np.uint8) for _ in range(4)]
    health = Health()
    for number in range(40):  # past warm-up
        health.feed(float(number), shown[number % 4])
    begin = time.process_time()
    for number in range(frames):
        health.feed(40.0 + number, shown[number % 4])
    spent = time.process_time() - begin
    begin = time.process_time()
    for number in range(max(frames // 10, 1)):
        encode(shown[number % 4])
    kept = (time.process_time() - begin) / max(frames // 10, 1)
    return {
        "bench": "camera",
        "frame": f"{width}x{height}",
        "us_per_frame": round(1e6 * spent / frames, 1),
        "us_to_keep_a_picture": round(1e6 * kept, 1),
        "percent_of_a_core_at_one_a_second": round(100 * (spent / frames + kept), 3),
    }


def main() -> None:
    """Print one JSON line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    for width, height in SIZES:
        print(json.dumps(bench(width, height, asked.frames)), flush=True)


if __name__ == "__main__":
    main()
