"""The transports that the contract is tested on; a new one is one more parameter here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.lean import LeanApp, TopicSpec, create_app

TOPICS = {"observations": TopicSpec(3), "outcomes": TopicSpec(3), "snapshots": TopicSpec(3, compact=True)}


class Transport:
    """Make applications that share one log."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.path = folder / "log.sqlite"

    def app(self, name: str = "worker", **options: Any) -> LeanApp:
        return create_app(name, broker_url=f"sqlite:///{self.path}", topics=TOPICS, **options)


@pytest.fixture(params=["sqlite"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Transport:
    return Transport(request.param, tmp_path)
