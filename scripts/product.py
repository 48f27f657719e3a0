"""The product's processes in a folder of their own, for benchmarks, drills and tests: started, found, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

from alerts.console.accounts.secret import keep_key
from scripts.commands.run import common_children, site_children
from scripts.ports import free_port
from streams import bundle, publication, settings
from streams.bundle import Bundle
from streams.figures import read_figures
from streams.settings import Settings
from streams.supervisor import Supervisor
from streams.vitals import Vitals


class Product:
    """The product's processes under a supervisor in a thread of its own."""

    def __init__(self, folder: Path, content: Bundle, **overrides: Any) -> None:
        ports = {"mqtt_port": free_port(), "port": free_port()}
        self.settings: Settings = settings.load({}, data=str(folder), **{**ports, **overrides})
        self.content = content
        (folder / "run").mkdir(parents=True, exist_ok=True)
        if self.settings.cluster:
            keep_key(folder, self.settings.cluster_key)
        publication.write_indices(folder, {point.id: point.index for point in content.site.points})
        publication.write(folder, bundle.pack(content))
        self._vitals = Vitals(self.settings.hub_path)
        self.supervisor = Supervisor(
            [*common_children(self.settings), *site_children(self.settings, self.content, None, [])],
            self._vitals.lost,
            self._vitals.returned,
            hung_seconds=self.settings.hung_seconds,
        )
        self.ready = 0.0
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Product:
        self._thread.start()
        if not self._started.wait(60):
            raise RuntimeError("the product did not start")
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.supervisor.stop(), self._loop).result(20)
        self._vitals.close()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def lose(self) -> None:
        """Kill all processes at once, and start none again: as a loss of power would."""
        self.supervisor.stop_soon()  # it ends nothing by itself, and begins nothing any more
        for child in self.supervisor.children:
            if child.process is not None and child.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.process.pid, signal.SIGKILL)
        self.__exit__()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self.ready = self._loop.run_until_complete(self.supervisor.start(60))
        self._vitals.started()
        self._started.set()
        self._loop.run_forever()

    def pids(self, *, broker: bool = False) -> dict[str, int]:
        """Name the product's processes."""
        return {
            child.name: child.process.pid
            for child in self.supervisor.children
            if child.process is not None and (child.name == "broker") == broker
        }

    def figures(self, name: str) -> dict[str, Any]:
        """Read the figures that a process writes once a second; empty when it does not."""
        return read_figures(self.settings.data_folder).get(name, {})
