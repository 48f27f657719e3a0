"""Start the children of a run, keep them alive, stop them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from streams.processes.child import GATE, IS_ALIVE, IS_READY, PARENT, PROGRESS, READY

logger = logging.getLogger(__name__)

BACKOFF = (0.1, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds before the n-th restart of a child that keeps dying."""

STEADY = 3.0
"""Seconds of life after which a child counts as sound again, and its next restart is quick."""

HOPELESS = 5
"""Ends of a child, never ready in between, after which a start fails."""

CANNOT_START = 127
"""Exit code that stands for a child that could not even be started, as a shell has it."""

STOP_SECONDS, KEPT_SECONDS = 6.5, 2.0
"""Seconds that a stop may take in all before what is left is killed, and what of them is kept for each later order: one
that hangs must not cost the worker its last snapshot."""

HELD = ("D (disk sleep)", "t (tracing stop)")
"""States of a process, as /proc/<pid>/status has them, in which it cannot give a sign and a kill would be no help."""


class StartError(RuntimeError):
    """Raised when a run cannot start, with a sentence that says what to do."""


class Child(msgspec.Struct, kw_only=True):
    """One child to keep alive. `order` is when it stops: lower first."""

    name: str
    arguments: Sequence[str]
    order: int
    environment: dict[str, str] = {}
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    restarts: int = 0
    silent: float | None = None  # seconds since its last sign of life; None: it has never given one
    once: bool = False  # leaves by itself (the simulator); not restarted when it ends well


def take_lock(folder: Path) -> IO[str]:
    """Lock a data folder for this run. Raise `StartError` when another run holds it."""
    run = folder / "run"
    try:
        run.mkdir(parents=True, exist_ok=True)
        run.chmod(0o700)
        lock = (run / "lock").open("a+")
    except OSError as error:
        raise StartError(f"cannot use the data folder {folder}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        raise StartError(
            f"another foreshock (process {holder or 'unknown'}) already runs on {folder}; "
            "stop it first, or choose another folder with --data"
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def holder(folder: Path) -> str | None:
    """Name the process whose run holds a data folder, `unknown` if it does not say; None when no run does."""
    try:
        lock = (folder / "run" / "lock").open()
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared, and given back at once
        except BlockingIOError:
            return lock.read().strip() or "unknown"
    return None


def require_port(host: str, port: int, what: str, option: str) -> None:
    """Raise `StartError` when a port that a child is to listen on is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(
                f"port {port} for {what} cannot be used ({error.strerror}); choose another with {option}"
            ) from error


class Supervisor:
    """Keep a set of children alive until told to stop."""

    def __init__(
        self,
        children: Sequence[Child],
        lost: Callable[[str, int, int], None] | None = None,
        back: Callable[[str], None] | None = None,
        progress: Callable[[str, str], None] | None = None,
        hung_seconds: float = 0.0,
    ) -> None:
        """`lost` is told (name, exit code, restarts) of a child that ended, `back` the name once it is ready again.

        `progress` is told (name, text) of one that takes long to get ready. A child that has given signs of life and
        gives none for `hung_seconds` is killed and started again; 0 lets it hang.
        """
        self.children = list(children)
        self._lost, self._back, self._progress = lost, back, progress
        self._hung_seconds = hung_seconds
        self._heard = 0.0  # when a child last told of progress; monotonic
        self._stopping = asyncio.Event()
        self._hopeless = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._gate: int | None = None  # the end at which children wait

    async def start(self, seconds: float = 30.0, site: Awaitable[Sequence[Child]] | None = None) -> float:
        """Start all children at once, wait until each is ready, then start those that run once.

        With `site` they begin while it is awaited, wait for it in `child.await_site`, and the children that it gives
        join them. Return the seconds until all were ready. Raise `StartError` when one is not ready after `seconds`,
        counted anew whenever a child tells of progress, and whatever `site` raises.
        """
        begun = time.monotonic()
        if self._hung_seconds > 0:
            self._tasks.append(asyncio.create_task(self._watch()))
        if site is None:
            self._begin(self.children)
        else:
            await self._begin_before(site)
        self._heard = time.monotonic()
        waiting = asyncio.create_task(self._all_ready())
        try:
            while not waiting.done():
                left = self._heard + seconds - time.monotonic()
                if left <= 0:
                    late = ", ".join(child.name for child in self.children if not (child.ready.is_set() or child.once))
                    raise StartError(f"not ready after {seconds:.0f} s: {late}; see the lines above for the reason")
                await asyncio.wait({waiting}, timeout=left)
            waiting.result()
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        took = time.monotonic() - begun
        self._tasks += [asyncio.create_task(self._keep(child)) for child in self.children if child.once]
        return took

    def _begin(self, children: Sequence[Child]) -> None:
        self._tasks += [asyncio.create_task(self._keep(child)) for child in children if not child.once]

    async def _begin_before(self, site: Awaitable[Sequence[Child]]) -> None:
        self._gate, write = os.pipe()
        try:
            self._begin(self.children)
            joining = await site
        except BaseException:
            await (
                self.stop()
            )  # before the gate opens: they would say that there is no site, before its mistakes are said
            raise
        finally:
            os.close(self._gate)
            os.close(write)
            self._gate = None
        self.children += joining
        self._begin(joining)

    async def _all_ready(self) -> None:
        """Wait until all children are ready. Raise `StartError` for one that ends again and again."""
        waits = [asyncio.create_task(child.ready.wait()) for child in self.children if not child.once]
        hopeless = asyncio.create_task(self._hopeless.wait())
        try:
            ready = asyncio.gather(*waits)
            await asyncio.wait((ready, hopeless), return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                names = ", ".join(child.name for child in self.children if child.restarts >= HOPELESS)
                raise StartError(f"{names} ended {HOPELESS} times and was never ready; see the lines above")
        finally:
            for task in (*waits, hopeless):
                task.cancel()
            await asyncio.gather(*waits, hopeless, return_exceptions=True)

    def add(self, child: Child) -> None:
        """Start one more child and keep it alive like the others."""
        self.children.append(child)
        self._tasks.append(asyncio.create_task(self._keep(child)))

    def stop_soon(self) -> None:
        """Ask for a stop; safe in a signal handler."""
        self._stopping.set()

    async def wait(self) -> None:
        """Wait until a stop is asked for."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Stop the children by their order, each by SIGTERM; kill what is left after `STOP_SECONDS`."""
        self._stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        orders = sorted({child.order for child in self.children})
        for place, order in enumerate(orders):
            kept = KEPT_SECONDS * (len(orders) - place - 1)
            group = [child.process for child in self.children if child.order == order and child.process]
            for process in group:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.1, deadline - kept - time.monotonic())):
                    await asyncio.gather(*(process.wait() for process in group))
        for child in self.children:
            if child.process and child.process.returncode is None:
                logger.warning("%s did not stop in time and is killed", child.name)
                with contextlib.suppress(ProcessLookupError):
                    child.process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, child: Child) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                code = await self._run(child)
            except OSError as error:  # no process, memory or descriptor to be had: that passes, or it is said again
                logger.error("%s cannot be started: %s", child.name, error.strerror or error)
                code = CANNOT_START
            if self._stopping.is_set() or (child.once and code == 0):
                return
            failures = 0 if time.monotonic() - started > STEADY else failures + 1
            child.restarts += 1
            if failures >= HOPELESS and not child.ready.is_set():
                self._hopeless.set()
            pause = BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else BACKOFF[0]
            logger.error("%s %s; started again in %.1f s", child.name, ending(code), pause)
            child.ready.clear()
            if self._lost is not None and not child.once:
                self._lost(child.name, code, child.restarts)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _watch(self) -> None:
        """Kill children that hang; `_keep` starts them again and tells of the loss as of any other.

        Silence is counted in turns of this loop, none longer than two should be: on a machine that was suspended, or
        that gave the supervisor itself no time, the children had none either.
        """
        turn = min(1.0, self._hung_seconds / 4)
        before = time.monotonic()
        while True:
            await asyncio.sleep(turn)
            now = time.monotonic()
            passed, before = min(now - before, 2 * turn), now
            for child in self.children:
                process = child.process
                if child.silent is None or process is None or process.returncode is not None:
                    continue
                child.silent += passed
                if child.silent < self._hung_seconds:
                    continue
                if is_held(process.pid):
                    child.silent = 0.0
                    continue
                logger.error("%s has given no sign of life for %.0f s and is killed", child.name, child.silent)
                child.silent = None
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    def _hear(self, child: Child, said: bytes) -> bytes:
        """Take in what a child tells; return the beginning of a line that is not whole yet."""
        while said:
            if said.startswith(PROGRESS):
                line, end, rest = said.partition(b"\n")
                if not end:
                    return said
                self._heard = time.monotonic()
                if self._progress is not None:
                    self._progress(child.name, line[1:].decode(errors="replace"))
                said = rest
                continue
            if said.startswith(IS_READY) and not child.ready.is_set():
                child.ready.set()
                if child.restarts and not child.once and self._back is not None and not self._stopping.is_set():
                    self._back(child.name)
            elif said.startswith(IS_ALIVE):
                child.silent = 0.0
            said = said[1:]
        return b""

    async def _run(self, child: Child) -> int:
        read, write = os.pipe()
        environment = {**os.environ, **child.environment, READY: str(write), PARENT: str(os.getpid())}
        passed = [write]
        if self._gate is not None:
            passed.append(self._gate)
            environment[GATE] = str(self._gate)
        try:
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *child.arguments,
                env=environment,
                pass_fds=passed,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which stops its children in order
            )
        except OSError:
            os.close(read)
            raise
        finally:
            os.close(write)
        loop = asyncio.get_running_loop()
        child.ready.clear()
        child.silent = None
        unread = b""
        listening = True  # the number of a closed descriptor is soon another child's

        def forget() -> None:
            nonlocal listening
            if listening:
                listening = False
                loop.remove_reader(read)
                os.close(read)

        def told() -> None:
            nonlocal unread
            said = os.read(read, 65536)
            if said:
                unread = self._hear(child, unread + said)
            else:
                forget()

        loop.add_reader(read, told)
        try:
            return await child.process.wait()
        finally:
            forget()


def is_held(pid: int) -> bool:
    """Tell whether a process is kept from running by a debugger or by a disk, as far as the system says so (Linux)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return found.get("State", "") in HELD or found.get("TracerPid", "0") != "0"


def ending(code: int) -> str:
    """Say in words how a process ended, by its exit code as `subprocess` gives it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def on_signals(supervisor: Supervisor, reload: Callable[[], None] | None = None) -> None:
    """Let SIGTERM, SIGINT and a closed terminal (unless `nohup` says otherwise) ask for a clean stop.

    SIGHUP calls `reload`, if there is one, unless it comes because the terminal was closed.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop_soon)
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as `nohup` has it
    terminal = has_terminal()

    def hung_up() -> None:
        nonlocal terminal
        closed, terminal = terminal and not has_terminal(), has_terminal()
        if closed or reload is None:
            if not outlives:
                supervisor.stop_soon()
        else:
            reload()

    if reload is not None or not outlives:
        loop.add_signal_handler(signal.SIGHUP, hung_up)


def has_terminal() -> bool:
    """Tell whether this process has a terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
