"""The drills that the page starts: which scripts the site has, and the one that is played, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from alerts.drill_script import Act, Script, read_script
from alerts.queries import Reader
from sensors.document import DocumentError
from sensors.publisher import BrokerError
from sensors.site import Site, Text
from sensors.tls import TlsError
from streams import drilling
from streams.hub import HubError
from streams.settings import Settings

logger = logging.getLogger(__name__)

FOLDER = "exercises"
"""Where a site's folder has its scripts."""

MOST_SCRIPTS = 50
"""Scripts that are listed; each is read anew whenever somebody asks."""

MOST_PROBLEMS = 20
"""Mistakes of a script that are told."""

BEGUN = 12.0
"""Seconds for which whoever begins a drill waits until it has begun: less than a request may take."""

Row = dict[str, Any]


class BusyError(RuntimeError):
    """Raised when a drill runs already."""


class DrillError(ValueError):
    """Raised when a drill does not begin; `code` is a key of `alerts.messages`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Run(drilling.Heard):
    """How the drill of this desk goes."""

    def __init__(self, id: str, name: str, script: Script) -> None:
        self.id, self.name, self.lasts, self.areas = id, name, script.lasting, script.areas
        self.seconds = 0.0
        self.words: Text | None = None
        self.error = ""
        self.settled = threading.Event()  # it has begun, or nothing comes of it
        self.given_up = False
        self.over = False

    def began(self) -> None:
        if self.given_up:
            raise TimeoutError("whoever began it has been told that nothing came of it")
        self.settled.set()

    def moved(self, seconds: float) -> None:
        self.seconds = seconds

    def said(self, text: Text) -> None:
        self.words = text

    def missed(self, act: Act, reason: str) -> None:
        logger.warning("the drill %s: %s came to nothing: %s", self.id, act.do, reason)

    def told(self) -> Row:
        words = None if self.words is None else {"zh": self.words.zh, "en": self.words.en}
        told: Row = {"id": self.id, "script": self.name, "areas": list(self.areas), "lasts": self.lasts}
        return {**told, "seconds": self.seconds, "said": words, "over": self.over, "error": self.error}


class DrillDesk:
    """List a site's drills and play one at a time, as `play` does it. Safe from any thread."""

    def __init__(
        self, found: Settings, site: Callable[[], Site], play: Callable[..., Coroutine[Any, Any, None]] = drilling.play
    ) -> None:
        self._settings, self._site, self._played = found, site, play
        self._lock = threading.Lock()
        self._last: _Run | None = None

    def scripts(self) -> list[Row]:
        """List the scripts of the site's folder by name, each with what is wrong with it."""
        site = self._site()
        found = []
        for file in self._files():
            listed: Row = {"name": file.stem, "title": {}, "areas": [], "units": [], "lasts": 0.0, "acts": 0}
            try:
                script = read_script(file, site)
            except DocumentError as error:
                problems = [msgspec.to_builtins(one) for one in error.problems[:MOST_PROBLEMS]]
                found.append({**listed, "problems": problems})
                continue
            listed |= {"title": {"zh": script.title.zh, "en": script.title.en}, "areas": list(script.areas)}
            listed |= {"units": list(script.units), "lasts": script.lasting, "problems": []}
            found.append({**listed, "acts": sum(step.act is not None for step in script.steps)})
        return found

    def last(self) -> Row | None:
        """Tell how the drill goes that was begun here last; None where none was."""
        with self._lock:
            return None if self._last is None else self._last.told()

    def begin(self, name: str, actor: str) -> str:
        """Begin a script by its name; return the drill's id once the engine has begun it.

        Raise `KeyError` when there is no such script, `BusyError` while any drill runs, `DrillError` with the reason
        when nothing came of it.
        """
        file = next((one for one in self._files() if one.stem == name), None)
        if file is None:
            raise KeyError(name)
        site = self._site()
        try:
            script = read_script(file, site)
        except DocumentError as error:
            raise DrillError("exercise.bad_script") from error
        reader = Reader(self._settings.journal_url)
        with self._lock:
            if (self._last is not None and not self._last.over) or reader.exercises(running=True):
                reader.close()
                raise BusyError
            run = self._last = _Run(drilling.new_id(), name, script)
        threading.Thread(target=self._play, args=(run, site, script, actor, reader), name="drill", daemon=True).start()
        if not run.settled.wait(BEGUN):
            run.given_up = True
            raise DrillError("no_answer")
        if run.error:
            raise DrillError(run.error)
        return run.id

    def _play(self, run: _Run, site: Site, script: Script, actor: str, reader: Reader) -> None:
        error = ""
        try:
            asyncio.run(self._played(self._settings, site, script, run.id, actor, reader, heard=run))
        except drilling.NotBegunError:
            error = "exercise.not_begun"
        except (BrokerError, TlsError) as failure:
            logger.error("the drill %s: %s", run.id, failure)
            error = "exercise.no_broker"
        except (OSError, HubError, TimeoutError) as failure:
            logger.error("the drill %s: the log takes nothing: %s", run.id, failure)
            error = "no_answer"
        except Exception:  # told on the page; the next drill is not held up by it
            logger.exception("the drill %s broke off", run.id)
            error = "exercise.broke_off"
        finally:
            reader.close()
        with self._lock:
            run.error, run.over = error, True
        run.settled.set()

    def _files(self) -> list[Path]:
        folder = self._settings.site_folder / FOLDER
        found = [one for ending in ("*.yaml", "*.yml") for one in folder.glob(ending) if one.is_file()]
        return sorted(found)[:MOST_SCRIPTS]
