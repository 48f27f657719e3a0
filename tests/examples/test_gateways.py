"""The worked gateways, each against a real server of its protocol; what they push is looked at as it is sent."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from scripts.ports import free_port
from tests.waiting import reached

pytest.importorskip("pymodbus", reason="the gateways' libraries are not installed: pip install -e .[dev]")

GATEWAYS = Path(__file__).resolve().parents[2] / "examples" / "gateways"


class Foreshock:
    """Answer pushes as the API does, and keep them; `failing` answers come first."""

    def __init__(self, *failing: int) -> None:
        self.failing = list(failing)
        self.ids: list[str] = []
        self.readings: list[dict[str, Any]] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/readings"
        assert request.headers["authorization"] == "Bearer secret"
        body = json.loads(request.content)
        self.ids.append(body["id"])
        if self.failing:
            return httpx.Response(self.failing.pop(0))
        self.readings += body["readings"]
        return httpx.Response(200, json={"id": body["id"], "accepted": len(body["readings"]), "refused": []})

    def latest(self, point: str) -> dict[str, Any] | None:
        return next((one for one in reversed(self.readings) if one["point"] == point), None)


@pytest.fixture
def pusher(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(GATEWAYS))
    import pushing

    monkeypatch.setattr(pushing, "WAITS", (0.0,))
    return lambda foreshock: pushing.Pusher(
        "http://foreshock", "secret", every=0.02, transport=httpx.MockTransport(foreshock.handle)
    )


def test_a_push_is_sent_again_under_its_id_until_it_is_taken(pusher: Any) -> None:
    async def scenario() -> None:
        foreshock = Foreshock(503, 504)
        one = pusher(foreshock)
        one.add("a", 1.0, at=5.0)
        await one.flush()
        one.add("b", 2.0)
        await one.flush()
        first, again, third, other = foreshock.ids
        assert first == again == third != other
        assert [reading["point"] for reading in foreshock.readings] == ["a", "b"]
        assert (one.accepted, one.lost) == (2, 0)

    asyncio.run(scenario())


def test_a_push_that_is_refused_for_good_is_counted_and_holds_up_nothing(pusher: Any) -> None:
    async def scenario() -> None:
        foreshock = Foreshock(422)
        one = pusher(foreshock)
        one.add("a", 1.0)
        await one.flush()
        one.add("b", 2.0)
        await one.flush()
        assert (one.accepted, one.lost) == (1, 1)

    asyncio.run(scenario())


def test_registers_of_a_plc_become_readings(pusher: Any) -> None:
    import modbus
    from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
    from pymodbus.server import ModbusTcpServer

    async def scenario() -> None:
        port = free_port()
        registers = [0] * 20
        registers[0] = 65_536 - 250  # -250 as INT16
        registers[10:12] = struct.unpack(">HH", struct.pack(">f", 21.5))[::-1]
        block = ModbusSequentialDataBlock(1, registers)
        server = ModbusTcpServer(ModbusServerContext(ModbusDeviceContext(hr=block)), address=("127.0.0.1", port))
        serving = asyncio.create_task(server.serve_forever())
        foreshock = Foreshock()
        one = pusher(foreshock)
        config = yaml.safe_load((GATEWAYS / "modbus.yaml").read_text(encoding="utf-8"))
        config |= {"port": port, "every": 0.02}
        config["points"].append({"point": "missing", "address": 5_000})
        level, pump = (point["point"] for point in config["points"][:2])
        work = [asyncio.create_task(modbus.poll(config, one)), asyncio.create_task(one.run())]
        try:
            await reached(lambda: foreshock.latest(pump), what="a reading of the pump")
            assert (foreshock.latest(level)["value"], foreshock.latest(level)["unit"]) == (-250.0, "mm")
            assert foreshock.latest(pump)["value"] == pytest.approx(21.5)
            assert foreshock.latest("missing") is None
        finally:
            for task in work:
                task.cancel()
            await server.shutdown()
            await asyncio.gather(serving, *work, return_exceptions=True)

    asyncio.run(scenario())


def test_changes_of_an_opc_ua_server_become_readings_with_its_times_and_its_doubts(pusher: Any) -> None:
    import opcua
    from asyncua import Server, ua

    async def scenario() -> None:
        port = free_port()
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
        await server.register_namespace("urn:plant")
        config = yaml.safe_load((GATEWAYS / "opcua.yaml").read_text(encoding="utf-8"))
        config |= {"server": f"opc.tcp://127.0.0.1:{port}/", "every": 0.05, "read": 0.1}
        nodes = []
        for point in config["points"]:
            node = ua.NodeId.from_string(point["node"])
            nodes.append(await server.nodes.objects.add_variable(node, point["point"], 1.0))
        foreshock = Foreshock()
        one = pusher(foreshock)
        pressure, temperature = (point["point"] for point in config["points"])
        async with server:
            work = [asyncio.create_task(opcua.follow(config, one)), asyncio.create_task(one.run())]
            try:
                await reached(lambda: foreshock.latest(pressure) and foreshock.latest(temperature))
                await nodes[0].write_value(12.0)
                await reached(lambda: foreshock.latest(pressure)["value"] == 12.0)
                assert foreshock.latest(pressure)["unit"] == "bar"
                assert abs(foreshock.latest(pressure)["time"] - time.time()) < 3600
                doubtful = ua.DataValue(
                    ua.Variant(3.0), StatusCode=ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)
                )
                await nodes[1].write_value(doubtful)
                await reached(lambda: foreshock.latest(temperature)["quality"] == "uncertain")
                failed = ua.DataValue(None, StatusCode=ua.StatusCode(ua.StatusCodes.BadSensorFailure))
                await nodes[1].write_value(failed)
                await reached(lambda: foreshock.latest(temperature)["quality"] == "bad")
                assert foreshock.latest(temperature)["value"] is None
                heard = foreshock.latest(pressure)["time"]
                await reached(lambda: foreshock.latest(pressure)["time"] > heard, what="the steady value again")
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        ([], "t", "usage: GATEWAY_TOKEN="),
        (["plc.yaml"], "", "GATEWAY_TOKEN is not set"),
        (["gone.yaml"], "t", "gone.yaml cannot be read"),
        (["list.yaml"], "t", "list.yaml holds no settings"),
    ],
)
def test_a_gateway_that_is_started_wrongly_says_how(
    pusher: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], token: str, said: str
) -> None:
    import pushing

    (tmp_path / "plc.yaml").write_text("every: 1")
    (tmp_path / "list.yaml").write_text("- 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_TOKEN", token)
    monkeypatch.setattr("sys.argv", ["gateway.py", *arguments])
    with pytest.raises(SystemExit, match=said):
        pushing.asked()
