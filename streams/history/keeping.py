"""Keeping the history in the data folder: every few minutes what the log has, in a thread beside all else."""

from __future__ import annotations

import threading
import time
from typing import Any

from sensors.site import Site
from streams import logs
from streams.history.keeper import Keeper
from streams.history.lines import Naming
from streams.history.parquet import Parquet
from streams.history.tiers import tiers
from streams.settings import Settings
from streams.trouble import Told, Trouble, said
from streams.vitals import HISTORY_FOLDER

EVERY = 600.0
"""Seconds between two files. The log keeps scores for a day, and of a full load for an hour."""

AGAIN = 60.0
"""Seconds after which it is tried again when it could not be kept."""

STOPPING = 1.0
"""Seconds for which the end of what is under way is waited for."""

TIDY = 6
"""After so many files days are joined, and what is too old goes."""


class Keeping:
    """Keep the history until told to stop."""

    def __init__(self, found: Settings, site: Site, vitals: Told) -> None:
        self._store = Parquet(found.data_folder / "history", tiers(found))
        self._log = logs.reader(found.log)
        self._most = found.history_gigabytes * 1e9
        self._keeper = Keeper(self._log, self._store, Naming(site))
        self._stop = threading.Event()
        self._vitals, self._trouble = vitals, Trouble(vitals, HISTORY_FOLDER)
        self._bytes, self._rounds = self._store.bytes, 0
        self._thread = threading.Thread(target=self._run, name="keep", daemon=True)

    def adopt(self, site: Site) -> None:
        """Call points as another version of the site does."""
        self._keeper.naming = Naming(site)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Tell whether it is at work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop; the log has what is not kept yet."""
        self._stop.set()
        self._thread.join(STOPPING)  # what is cut off leaves nothing half done
        if not self._thread.is_alive():
            self._log.close()

    def figures(self) -> dict[str, Any]:
        """Say what was done."""
        lost = {name: count for name, count in self._keeper.counts.items() if count and name != "readings"}
        lost |= {"damaged": self._store.damaged} if self._store.damaged else {}
        return {
            "readings": self._keeper.counts["readings"],
            "bytes": self._bytes,
            "lost": lost,
            "trouble": self._trouble.text,
        }

    def once(self) -> bool:
        """Keep what there is now; tell whether it could be kept."""
        damaged = self._store.damaged
        try:
            self._once()
        except Exception as error:  # whatever it is: a thread that ended would be missed by nobody
            self._trouble.note("keep", f"the history cannot be kept: {said(error)}", error)
            return False
        finally:
            if self._store.damaged > damaged:
                self._tell_of_damage()
        self._trouble.note("keep", "")
        return True

    def _tell_of_damage(self) -> None:
        """Have an alarm stand until somebody acknowledges it."""
        component = f"{HISTORY_FOLDER}:damaged"
        self._vitals.down(component, "cannot be read: " + ", ".join(file.name for file in self._store.put_aside()[-5:]))
        self._vitals.back(component)

    def _once(self) -> None:
        if self._rounds % TIDY == 0:  # at first: what goes makes room
            self._store.tidy(time.time(), self._most)
        self._store.require_room()
        self._keeper.step(time.time(), lambda: not self._stop.is_set())
        if self._rounds % TIDY == 0:
            self._store.look_through()
        self._rounds += 1
        self._bytes = self._store.bytes

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(EVERY if self.once() else AGAIN)
