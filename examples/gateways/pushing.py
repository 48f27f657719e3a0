"""Push readings to Foreshock over HTTP: in order, each batch under an id of its own, again until it is taken."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any

import httpx
import yaml

log = logging.getLogger(__name__)

MOST = 5_000  # readings a push; the API takes 10 000
KEPT = 500_000  # readings kept while Foreshock is away; the oldest go first, counted
WAITS = (1.0, 2.0, 5.0, 15.0, 60.0)


def asked() -> tuple[dict[str, Any], str]:
    """Read the settings that the command line names and the token; end with a sentence where one is missing."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: GATEWAY_TOKEN=… {sys.argv[0]} SETTINGS.yaml")
    token = os.environ.get("GATEWAY_TOKEN", "")
    if not token:
        sys.exit("GATEWAY_TOKEN is not set; make one: foreshock tokens add NAME --role gateway")
    try:
        settings = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        sys.exit(f"{sys.argv[1]} cannot be read: {error}")
    if not isinstance(settings, dict):
        sys.exit(f"{sys.argv[1]} holds no settings")
    return settings, token


class Pusher:
    """Gather readings and push them every `every` seconds. Use it from one event loop."""

    def __init__(
        self, url: str, token: str, *, every: float = 1.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10.0, transport=transport
        )
        self._every = every
        self._waiting: deque[dict[str, Any]] = deque()
        self.accepted = self.refused = self.lost = 0

    def add(
        self, point: str, value: float | None, at: float | None = None, quality: str = "good", unit: str | None = None
    ) -> None:
        """Add a reading; `at` is unix seconds, now by default, `unit` the value's where that is not the point's.

        A `value` of None says that there is none: Foreshock keeps that in its quarantine, where it is seen.
        """
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self.lost += 1
        reading = {"point": point, "value": value, "time": time.time() if at is None else at, "quality": quality}
        self._waiting.append(reading if unit is None else reading | {"unit": unit})

    async def run(self) -> None:
        """Push until cancelled."""
        async with self._client:
            while True:
                await self.flush()
                await asyncio.sleep(self._every)

    async def flush(self) -> None:
        """Push all that waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            await self._push(uuid.uuid4().hex, batch)

    async def _push(self, id: str, batch: list[dict[str, Any]]) -> None:
        tries = 0
        while True:
            try:
                answer = await self._client.post("/api/v1/readings", json={"id": id, "readings": batch})
                if answer.status_code == 200:
                    told = answer.json()
                    self.accepted += told["accepted"]
                    self.refused += len(told["refused"])
                    for one in told["refused"][:5]:
                        log.warning("%s was refused: %s %s", batch[one["place"]], one["reason"], one["detail"])
                    return
                if answer.status_code in (400, 401, 403, 409, 413, 422):  # to send it again would change nothing
                    log.error("a push was refused (%d): %s", answer.status_code, answer.text[:300])
                    self.lost += len(batch)
                    return
                trouble = f"answer {answer.status_code}"
            except httpx.HTTPError as error:
                trouble = f"{type(error).__name__}: {error}"
            wait = WAITS[min(tries, len(WAITS) - 1)]
            log.warning("Foreshock cannot be reached (%s); again in %.0f s", trouble, wait)
            tries += 1
            await asyncio.sleep(wait)
