"""`foreshock run` from outside: what it prints, what it refuses, how it stops and goes on."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.ports import free_port
from tests.integration.running import PASSWORD, ROOT, Mqtt, Running, alive, foreshock, running
from tests.waiting import until

pytestmark = pytest.mark.server

ALL = {"broker", "bridge", "worker", "console", "notifier"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("run") / "data") as started:
        yield started


def test_it_prints_the_address_and_the_first_administrators_link_and_no_noise(product: Running) -> None:
    assert re.search(r"ready in \d+\.\d s", product.said)
    assert re.search(rf"Console {product.address}/#/first\?token=\S{{20,}}", product.said)
    assert "61 areas, 1005 points, 120 cameras" in product.said
    assert "SIMULATION" not in product.said
    assert not re.search(r"INFO|Traceback|\[\^", product.said)
    assert set(product.children()) == ALL


def test_it_is_ready_and_each_process_writes_a_log_of_its_own(product: Running) -> None:
    until(lambda: httpx.get(f"{product.address}/readyz").status_code == 200)
    assert httpx.get(f"{product.address}/healthz").json() == {"ok": True}
    logs = {file.stem: file for file in (product.data / "run").glob("*.log")}
    assert set(logs) >= ALL
    assert all(file.stat().st_mode & 0o077 == 0 for file in logs.values())
    assert "connected to the MQTT broker" in logs["bridge"].read_text()


def test_a_second_one_on_the_same_data_is_refused_with_a_sentence(product: Running) -> None:
    second = foreshock("run", "--no-sim", "--data", product.data, "--port", str(free_port()))
    assert second.returncode == 1
    assert f"已有前震（进程 {product.process.pid}）" in second.stderr
    assert "--data" in second.stderr and "Traceback" not in second.stderr


@pytest.mark.parametrize(("option", "other"), [("--port", "--mqtt-port"), ("--mqtt-port", "--port")])
def test_a_taken_port_is_named_with_its_option(option: str, other: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = foreshock("run", "--no-sim", "--data", tmp_path, option, port, other, str(free_port()))
    assert ended.returncode == 1
    assert re.fullmatch(rf"✗ 端口 {port}（.*）已被占用；请用 {option} 另选\n", ended.stderr)


def test_a_broken_site_names_file_line_and_field_and_starts_nothing(tmp_path: Path) -> None:
    site = tmp_path / "[site]"
    shutil.copytree(ROOT / "examples" / "district", site)
    hierarchy = (site / "units.yaml").read_text().replace("kind: ", "knid: ", 1)
    (site / "units.yaml").write_text(hierarchy)
    ended = foreshock("run", "--no-sim", "--site", site, "--data", tmp_path / "data", "--port", str(free_port()))
    assert ended.returncode == 1
    assert re.search(r"units\.yaml:\d+: units\[\d+\]\.?\w*: .*", ended.stderr), ended.stderr
    assert f"站点 {site} 有 " in ended.stderr and "未启动任何进程" in ended.stderr
    assert not (tmp_path / "data" / "log.sqlite").exists()


def test_a_data_folder_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = foreshock("run", "--no-sim", "--data", tmp_path / "file" / "data")
    assert ended.returncode == 1
    assert re.fullmatch(r"✗ 数据文件夹 .* 无法使用：.*不是文件夹\n", ended.stderr)


def test_a_data_folder_that_cannot_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    # root may write anywhere, unless that is taken from it
    under = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    tmp_path.chmod(0o500)
    ended = foreshock("run", "--no-sim", "--data", tmp_path / "data", under=under)
    tmp_path.chmod(0o700)
    assert ended.returncode == 1
    assert "没有权限" in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("FORESHOCK_PORT", "many", "FORESHOCK_PORT='many'"),
        ("FORESHOCK_WEBHOOK_URL", "http://127.0.0.1:9/", "FORESHOCK_WEBHOOK_SECRET"),
        ("FORESHOCK_WEBHOOK_URL", "ftp://somewhere", "FORESHOCK_WEBHOOK_URL"),
    ],
)
def test_a_setting_that_cannot_be_is_named(variable: str, value: str, named: str, tmp_path: Path) -> None:
    ended = foreshock("run", "--no-sim", "--data", tmp_path, **{variable: value})
    assert ended.returncode == 1
    assert named in ended.stderr and "Traceback" not in ended.stderr


def test_a_camera_that_the_site_does_not_have_is_named(tmp_path: Path) -> None:
    ended = foreshock("run", "--no-sim", "--data", tmp_path, "--camera", "nobody=x.mp4", "--port", str(free_port()))
    assert ended.returncode == 1
    assert "nobody" in ended.stderr and "Traceback" not in ended.stderr


def test_it_stops_cleanly_goes_on_where_it_was_and_dies_as_a_whole(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, contextlib.ExitStack() as stack:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        listening = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        heard: list[bytes] = []

        def listen() -> None:
            while not heard or heard[-1] != b"STOPPING=1":
                heard.append(manager.recv(1000))

        listener = threading.Thread(target=listen)
        listener.start()
        first = stack.enter_context(running(tmp_path / "data", **listening))
        token = re.search(r"token=(\S+)", first.said)
        assert token is not None
        claim = {"token": token[1], "name": "boss", "password": PASSWORD}
        assert httpx.post(f"{first.address}/api/v1/first-administrator", json=claim, timeout=20).status_code == 200
        source = Mqtt(first.mqtt_port)
        source.overload()
        source.close()
        viewer = first.token("viewer")
        raised = until(lambda: viewer.get("/alarms").json()["items"])
        pids = [first.process.pid, *first.children().values()]
        first.stop()
        assert first.process.returncode == 0
        assert not any(map(alive, pids))
        assert "killed" not in first.said and "Traceback" not in first.said
        listener.join(20)
        told = [one for one in heard if not one.startswith(b"STATUS=")]
        assert (
            told[0] == b"WATCHDOG=1" and told.count(b"READY=1") == 1 and set(told) <= {*told[:1], b"READY=1", told[-1]}
        )
    assert foreshock("status", "--data", tmp_path / "data").returncode == 3

    with running(tmp_path / "data") as second:
        assert "first?token" not in second.said
        assert f"Console {second.address}" in second.said
        viewer = second.token("viewer")
        still = until(lambda: viewer.get("/alarms").json()["items"])
        assert {one["id"] for one in still} >= {one["id"] for one in raised}
        pids = list(second.children().values())
        assert len(pids) == len(ALL)
        os.kill(second.process.pid, signal.SIGKILL)
        second.process.wait(5)
        until(lambda: not any(map(alive, pids)), 6, "the children's end")
