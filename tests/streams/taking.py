"""Take up what is proposed to a data folder, as the worker does, without a log."""

from __future__ import annotations

import threading
from pathlib import Path

from streams import publication
from streams.bundle import Bundle, pack


class Taking:
    """A thread that puts in force what is proposed; without `keeps` it only takes it away, for a second person."""

    def __init__(self, data: Path, content: Bundle, *, keeps: bool = True) -> None:
        self.data, self._keeps = data, keeps
        (data / "run").mkdir(parents=True, exist_ok=True)
        (data / publication.FILE).unlink(missing_ok=True)  # the history begins with this
        publication.write_indices(data, {point.id: point.index for point in content.site.points})
        publication.adopt(data, publication.Proposal(pack(content), "", "foreshock run", "site at start", 1.0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(0.005):
            found = publication.proposed(self.data)
            if found is not None and self._keeps:
                publication.adopt(self.data, found)
            elif found is not None:
                (self.data / publication.PROPOSED).unlink()

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self._thread.join()
