import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams import supervisor
from streams.supervisor import Child, StartError, Supervisor, require_port, take_lock
from tests.waiting import reached

READY = "import os,sys,time; fd=int(os.environ['FORESHOCK_READY_FD']); os.write(fd,b'1'); os.close(fd); "


def child(name: str, code: str, order: int = 0, once: bool = False) -> Child:
    return Child(name=name, arguments=("-c", code), order=order, once=once)


def test_children_are_ready_then_stopped_in_order(tmp_path: Path) -> None:
    note = tmp_path / "order"
    code = (
        "import os,sys,time,signal\n"
        f"def stop(*_):\n open({str(note)!r},'a').write(sys.argv[1]); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n" + READY + "\n"
        "while True: time.sleep(0.05)"
    )

    async def scenario() -> None:
        first = Child(name="a", arguments=("-c", code, "a"), order=2)
        second = Child(name="b", arguments=("-c", code, "b"), order=1)
        keeper = Supervisor([first, second])
        assert await keeper.start(10) < 10
        await keeper.stop()
        assert first.process and second.process
        assert (first.process.returncode, second.process.returncode) == (0, 0)

    asyncio.run(scenario())
    assert note.read_text() == "ba"


def test_a_killed_child_is_started_again_and_reported() -> None:
    lost: list[tuple[str, int, int]] = []

    async def scenario() -> None:
        one = child("one", READY + "time.sleep(60)")
        keeper = Supervisor([one], lambda name, code, restarts: lost.append((name, code, restarts)))
        await keeper.start(10)
        assert one.process is not None
        before = one.process.pid
        os.kill(before, signal.SIGKILL)
        await reached(lambda: one.process is not None and one.process.pid != before and one.process.returncode is None)
        await keeper.stop()

    asyncio.run(scenario())
    assert lost == [("one", -signal.SIGKILL, 1)]


def test_a_child_that_is_never_ready_fails_the_start_by_name() -> None:
    async def scenario() -> None:
        keeper = Supervisor([child("mute", "import time; time.sleep(60)")])
        try:
            with pytest.raises(StartError, match="mute"):
                await keeper.start(0.3)
        finally:
            await keeper.stop()

    asyncio.run(scenario())


def test_a_child_that_ignores_the_stop_is_killed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)

    async def scenario() -> float:
        deaf = child("deaf", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + READY + "time.sleep(60)")
        keeper = Supervisor([deaf])
        await keeper.start(10)
        begun = asyncio.get_running_loop().time()
        await keeper.stop()
        assert deaf.process is not None
        await deaf.process.wait()
        return asyncio.get_running_loop().time() - begun

    assert asyncio.run(scenario()) < 5


def test_one_that_hangs_at_the_stop_leaves_the_later_ones_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 2.0)
    monkeypatch.setattr(supervisor, "KEPT_SECONDS", 1.8)
    note = tmp_path / "snapshot"
    slow = (
        f"import signal,sys,time\ndef stop(*_):\n time.sleep(0.4); open({str(note)!r},'w').close(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n" + READY + "time.sleep(60)"
    )

    async def scenario() -> None:
        deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + READY + "time.sleep(60)"
        keeper = Supervisor([child("deaf", deaf, 1), child("worker", slow, 2)])
        await keeper.start(10)
        await keeper.stop()
        assert [one.process.returncode for one in keeper.children if one.process and one.name == "worker"] == [0]

    asyncio.run(scenario())
    assert note.exists()


def test_one_that_runs_once_starts_after_the_others_and_is_not_repeated(tmp_path: Path) -> None:
    note = tmp_path / "note"

    async def scenario() -> None:
        server = child("server", READY + f"open({str(note)!r},'a').write('s'); time.sleep(60)")
        once = child("once", f"open({str(note)!r},'a').write('o')", once=True)
        keeper = Supervisor([once, server])
        await keeper.start(10)
        await reached(lambda: note.exists() and note.read_text().endswith("o"))
        await reached(lambda: once.process is not None and once.process.returncode == 0)
        await keeper.stop()
        assert once.restarts == 0

    asyncio.run(scenario())
    assert "o" in note.read_text()


def test_a_second_run_on_the_same_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with take_lock(tmp_path), pytest.raises(StartError, match=f"process {os.getpid()}.*--data"):
        take_lock(tmp_path)
    take_lock(tmp_path).close()


def test_a_taken_port_is_named_with_the_option_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"{port}.*--port"):
            require_port("127.0.0.1", port, "the console", "--port")


def test_a_child_that_works_again_is_reported_and_one_that_merely_starts_is_not() -> None:
    told: list[str] = []

    async def scenario() -> None:
        one = child("one", READY + "time.sleep(60)")
        keeper = Supervisor(
            [one], lambda name, *_: told.append(f"{name} lost"), lambda name: told.append(f"{name} back")
        )
        await keeper.start(10)
        assert told == []
        assert one.process is not None
        os.kill(one.process.pid, signal.SIGKILL)
        await reached(lambda: len(told) == 2)
        assert one.ready.is_set()
        await keeper.stop()

    asyncio.run(scenario())
    assert told == ["one lost", "one back"]


def test_a_child_that_ends_again_and_again_before_it_is_ready_fails_the_start_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", (0.01,))

    async def scenario() -> None:
        keeper = Supervisor([child("sick", "import sys; sys.exit(7)"), child("well", READY + "time.sleep(60)")])
        try:
            with pytest.raises(StartError, match=r"sick ended .* never ready"):
                await keeper.start(30)
        finally:
            await keeper.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("code", "words"), [(0, "ended with exit code 0"), (-9, "ended by SIGKILL"), (-200, "ended by signal 200")]
)
def test_an_end_is_said_in_words(code: int, words: str) -> None:
    assert supervisor.ending(code) == words


def test_children_are_out_of_reach_of_the_terminals_interrupt() -> None:
    async def scenario() -> None:
        one = child("one", READY + "time.sleep(60)")
        keeper = Supervisor([one])
        await keeper.start(10)
        assert one.process is not None
        assert os.getpgid(one.process.pid) != os.getpgid(0)
        await keeper.stop()

    asyncio.run(scenario())


class Leaping:
    """A clock that can be moved ahead, as by a machine that slept."""

    ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def test_a_child_that_tells_of_progress_is_given_the_time_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Leaping()
    monkeypatch.setattr(supervisor, "time", clock)
    told: list[tuple[str, str]] = []
    code = (
        "import os,time; fd=int(os.environ['FORESHOCK_READY_FD'])\n"
        "for n in range(6): os.write(fd, b'+%d of 6\\n' % n)\n"
        "os.write(fd, b'1'); time.sleep(60)"
    )

    def note(name: str, text: str) -> None:
        told.append((name, text))
        clock.ahead += 20.0

    async def scenario() -> None:
        slow = child("slow", code)
        keeper = Supervisor([slow], progress=note)
        assert await keeper.start(30.0) > 100.0
        assert slow.restarts == 0
        await keeper.stop()

    asyncio.run(scenario())
    assert told == [("slow", f"{n} of 6") for n in range(6)]


def test_a_child_that_stops_telling_of_progress_is_given_up() -> None:
    async def scenario() -> None:
        keeper = Supervisor(
            [
                child(
                    "stuck",
                    "import os,time; os.write(int(os.environ['FORESHOCK_READY_FD']), b'+1 of 6\\n'); time.sleep(60)",
                )
            ]
        )
        try:
            with pytest.raises(StartError, match="stuck"):
                await keeper.start(0.3)
        finally:
            await keeper.stop()

    asyncio.run(scenario())


BEATING = READY.replace("os.close(fd); ", "") + "\nwhile True: os.write(fd, b'.'); time.sleep(0.02)"


def test_a_child_that_hangs_is_killed_started_again_and_reported_as_one_that_crashed() -> None:
    told: list[str] = []

    async def scenario() -> None:
        hanging, mute = child("hanging", BEATING), child("mute", READY + "time.sleep(60)")
        keeper = Supervisor(
            [hanging, mute],
            lambda name, code, restarts: told.append(f"{name} {code} {restarts}"),
            lambda name: told.append(f"{name} back"),
            hung_seconds=0.4,
        )
        await keeper.start(10)
        await reached(lambda: hanging.silent is not None)
        assert hanging.process is not None
        os.kill(hanging.process.pid, signal.SIGSTOP)
        await reached(lambda: len(told) == 2)
        assert mute.restarts == 0, "what never gave a sign of life is not missed"
        await keeper.stop()

    asyncio.run(scenario())
    assert told == [f"hanging {-signal.SIGKILL} 1", "hanging back"]


def test_a_machine_that_slept_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Leaping()
    monkeypatch.setattr(supervisor, "time", clock)

    async def scenario() -> None:
        one = child("one", BEATING)
        keeper = Supervisor([one], hung_seconds=2.0)
        await keeper.start(10)
        await reached(lambda: one.silent is not None)
        assert one.process is not None
        os.kill(one.process.pid, signal.SIGSTOP)
        await reached(lambda: one.silent)
        clock.ahead = 3600.0
        await reached(lambda: one.silent is not None and one.silent > 1.0)
        os.kill(one.process.pid, signal.SIGCONT)
        await reached(lambda: one.silent is not None and one.silent < 1.0)
        assert one.restarts == 0
        await keeper.stop()

    asyncio.run(scenario())


def test_a_child_under_a_debugger_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(supervisor, "is_held", lambda pid: not asked.append(pid))

    async def scenario() -> None:
        one = child("one", BEATING)
        keeper = Supervisor([one], hung_seconds=0.2)
        await keeper.start(10)
        await reached(lambda: one.silent is not None)
        assert one.process is not None
        os.kill(one.process.pid, signal.SIGSTOP)
        await reached(lambda: len(asked) == 2)
        assert one.restarts == 0 and set(asked) == {one.process.pid}
        await keeper.stop()

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_is_traced_is_held_and_one_that_is_stopped_is_not() -> None:
    code = (
        "import ctypes, os, signal\n"
        "ctypes.CDLL(None).ptrace(0, 0, 0, 0)\n"  # PTRACE_TRACEME: traced by its parent
        "print('traced', flush=True); import time; time.sleep(60)"
    )
    traced = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    plain = subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE
    )
    try:
        for one in (traced, plain):
            assert one.stdout is not None and one.stdout.readline()
        os.kill(plain.pid, signal.SIGSTOP)
        os.waitpid(plain.pid, os.WUNTRACED)
        assert supervisor.is_held(traced.pid)
        assert not supervisor.is_held(plain.pid)
        assert not supervisor.is_held(2**22 + 1), "one that is gone"
    finally:
        for one in (traced, plain):
            one.kill()
            one.wait()
            assert one.stdout is not None
            one.stdout.close()


def test_children_begin_while_the_site_is_checked_and_wait_for_it(tmp_path: Path) -> None:
    note = tmp_path / "seen"
    code = (
        "import os, pathlib\nfrom streams.processes import child\n"
        f"note = pathlib.Path({str(note)!r})\n"
        "note.write_text('begun')\nchild.await_site()\n"
        "note.write_text('site' if note.with_name('site').exists() else 'too early')\n"
        + READY
        + "\nimport time; time.sleep(60)"
    )

    async def scenario() -> None:
        keeper = Supervisor([child("early", code)])

        async def site() -> list[Child]:
            await reached(lambda: note.exists() and note.read_text() == "begun")
            note.with_name("site").touch()
            return [child("joining", READY + "time.sleep(60)")]

        await keeper.start(20, site())
        assert note.read_text() == "site"
        early, joining = keeper.children
        assert early.ready.is_set() and joining.ready.is_set()
        assert early.process is not None
        first = early.process.pid
        os.kill(first, signal.SIGKILL)  # one that is started again later has nothing to wait for
        await reached(lambda: early.process is not None and early.process.pid != first and early.ready.is_set())
        await keeper.stop()

    asyncio.run(scenario())


def test_a_broken_site_ends_the_start_with_its_own_error_and_those_that_waited_say_nothing(tmp_path: Path) -> None:
    note = tmp_path / "seen"
    code = (
        "import pathlib\nfrom streams.processes import child\n"
        f"note = pathlib.Path({str(note)!r})\nnote.write_text('begun')\n"
        "child.await_site()\nnote.write_text('no site')\n"
    )

    async def scenario() -> None:
        one = child("early", code)
        keeper = Supervisor([one])

        async def site() -> list[Child]:
            await reached(lambda: note.exists() and note.read_text() == "begun")
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await keeper.start(10, site())
        assert one.process is not None and one.process.returncode == -signal.SIGTERM
        assert note.read_text() == "begun"
        await keeper.stop()  # as whoever began it does, whatever came of that

    asyncio.run(scenario())
