"""The GB/T 28181 dialect: alarms in XML and JSON, resets, and whether devices are there."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from sensors.dialects import gb28181
from sensors.dialects.dialect import Decoded, Lane, Route
from sensors.lookup import Registry
from sensors.observation import CameraEvent, CameraHealth, SourceState
from sensors.site import Gb28181
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site

CAMERA = "34020000001320000001"
INPUT = "34020000001340000003"
RECORDER = "34020000001180000001"
AT = datetime(2025, 11, 23, 20, 13, 14, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()

INTRUSION = f"""<?xml version="1.0" encoding="GB2312"?>
<Notify>
<CmdType>Alarm</CmdType>
<SN>17430</SN>
<DeviceID>{CAMERA}</DeviceID>
<AlarmPriority>2</AlarmPriority>
<AlarmMethod>5</AlarmMethod>
<AlarmTime>2025-11-23T20:13:14</AlarmTime>
<AlarmDescription>后山平台有人闯入</AlarmDescription>
<Longitude>113.8711</Longitude>
<Latitude>22.8031</Latitude>
<Info>
<AlarmType>6</AlarmType>
<AlarmTypeParam><EventType>1</EventType></AlarmTypeParam>
</Info>
</Notify>
"""


def alarm(method: int | str, type_: int | str = "", event: int | str = "", of: str = CAMERA, **fields: Any) -> bytes:
    more = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    info = f"<AlarmType>{type_}</AlarmType>" if type_ != "" else ""
    info += f"<AlarmTypeParam><EventType>{event}</EventType></AlarmTypeParam>" if event != "" else ""
    return (
        f"<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>{of}</DeviceID><AlarmMethod>{method}</AlarmMethod>{more}"
        f"<Info>{info}</Info></Notify>"
    ).encode()


def as_json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def catalog(*items: str) -> bytes:
    return (
        f"<Notify><CmdType>Catalog</CmdType><SN>62</SN><DeviceID>{RECORDER}</DeviceID><SumNum>{len(items)}</SumNum>"
        f'<DeviceList Num="{len(items)}">{"".join(f"<Item>{item}</Item>" for item in items)}</DeviceList></Notify>'
    ).encode()


def keepalive(of: str, status: str = "OK", info: str = "") -> bytes:
    return (
        f"<Notify><CmdType>Keepalive</CmdType><SN>43</SN><DeviceID>{of}</DeviceID><Status>{status}</Status>{info}</Notify>"
    ).encode()


def reset(info: str = "", of: str = CAMERA) -> bytes:
    return (
        f"<Control><CmdType>DeviceControl</CmdType><SN>9</SN><DeviceID>{of}</DeviceID><AlarmCmd>ResetAlarm</AlarmCmd>"
        f"{info}</Control>"
    ).encode()


def registry() -> Registry:
    """Make the suite's site with a camera and a point (an alarm input) that GB/T 28181 names."""
    made = site()
    cameras, points = list(made.cameras), list(made.points)
    cameras[1] = msgspec.structs.replace(cameras[1], sources=(f"gb28181:{CAMERA}",))
    points[3] = msgspec.structs.replace(points[3], sources=(f"gb28181:{INPUT}",))
    return Registry(msgspec.structs.replace(made, cameras=tuple(cameras), points=tuple(points)))


def decode(*payloads: bytes, config: Gb28181 | None = None) -> Decoded:
    lane = Lane("event", config or Gb28181(), registry())
    return gb28181.decode(lane, np.full(len(payloads), -1), list(payloads), RECEIVED)


def said(payload: bytes, **how: Any) -> list[Any]:
    decoded = decode(payload, **how)
    assert not decoded.refused
    return [one for _, one in decoded.events]


class TestGb28181(DialectSuite):
    dialect = gb28181
    config = Gb28181()
    topic = "gb28181/34020000002000000001/alarm"
    good = (
        INTRUSION.encode("gb18030"),
        INTRUSION.encode(),
        as_json(DeviceID=CAMERA, CmdType="Alarm", AlarmPriority=1, AlarmMethod="5", Info={"AlarmType": 2}),
        alarm(2, 1),
        alarm(2, of=INPUT),
        reset(),
        keepalive(CAMERA),
        catalog(f"<DeviceID>{CAMERA}</DeviceID><Event>OFF</Event>"),
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"<Notify/>": "malformed",
        b"<Notify>": "malformed",
        b"<html><body>502</body></html>": "malformed",
        b"{}": "malformed",
        b"\xff\xff": "malformed",
        alarm(5, 2, AlarmTime="yesterday"): "malformed",
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + alarm(5, 2): "malformed",
        b"<a>" * 20_000: "malformed",
        b'{"a":' * 10_000: "malformed",
        alarm(5, 2, of="34020000001320009999"): "unknown_camera",
        b"<Notify><CmdType>Alarm</CmdType></Notify>": "unknown_camera",
        b"<Notify><CmdType>MobilePosition</CmdType></Notify>": "ignored",
        b"<Query><CmdType>Catalog</CmdType><DeviceID>1</DeviceID></Query>": "ignored",
        b"<Response><CmdType>Alarm</CmdType><Result>OK</Result></Response>": "ignored",
        keepalive(RECORDER): "ignored",
        catalog(): "ignored",
        catalog("<DeviceID>1</DeviceID><Event>ADD</Event>"): "ignored",
    }

    def registry(self) -> Registry:
        return registry()


def test_any_filter_may_be_the_sites() -> None:
    known = registry()
    assert gb28181.resolve("a/b/gb/x", Gb28181(topic="a/+/gb/#"), known) == Route("event")
    assert gb28181.resolve("a/b/c/x", Gb28181(topic="a/+/gb/#"), known) is None


@pytest.mark.parametrize("encoding", ["gb18030", "gb2312", "utf-8"])
def test_an_alarm_is_an_event_with_its_level_and_words(encoding: str) -> None:
    [event] = said(INTRUSION.encode(encoding))
    assert isinstance(event, CameraEvent)
    assert (event.area, event.camera, event.kind, event.phase) == ("a2", "cam-2", "intrusion", "new")
    assert (event.level, event.detail) == ("orange", "后山平台有人闯入")
    assert (event.time, event.received) == (AT, RECEIVED)  # local time of the site
    assert event.event == f"{CAMERA}#17430"


@pytest.mark.parametrize(
    "payload",
    [
        as_json(
            Notify={
                "CmdType": "Alarm",
                "SN": 17430,
                "DeviceID": CAMERA,
                "AlarmPriority": "2",
                "AlarmMethod": "5",
                "AlarmTime": "2025-11-23T20:13:14",
                "AlarmDescription": "后山平台有人闯入",
                "Info": {"AlarmType": "6", "AlarmTypeParam": {"EventType": "1"}},
            }
        ),
        as_json(
            sn="17430",
            deviceId=RECORDER,
            channelId=CAMERA,
            alarmPriority=2,
            alarmMethod=5,
            alarmType=6,
            eventType=1,
            alarmTime="2025-11-23 20:13:14",
            alarmDescription="后山平台有人闯入",
        ),
        as_json(
            device_id=CAMERA,
            sn=17430,
            alarm_priority="2",
            alarm_method="5",
            alarm_type="6",
            alarm_time=AT * 1000,
            alarm_description="后山平台有人闯入",
        ),
    ],
)
def test_a_gateways_json_says_the_same_as_the_xml(payload: bytes) -> None:
    assert said(payload) == said(INTRUSION.encode())


@pytest.mark.parametrize(
    ("method", "type_", "kind"),
    [
        (1, "", "phone_alarm"),
        (2, "", "device_alarm"),
        (2, 3, "disk_full"),
        (2, 4, "device_hot"),
        (2, 5, "device_cold"),
        (3, "", "message_alarm"),
        (4, "", "position_alarm"),
        (5, "", "video_alarm"),
        (5, 1, "manual"),
        (5, 2, "motion"),
        (5, 3, "left_object"),
        (5, 4, "removed_object"),
        (5, 5, "crossing"),
        (5, 6, "intrusion"),
        (5, 7, "wrong_way"),
        (5, 8, "loitering"),
        (5, 9, "flow"),
        (5, 10, "density"),
        (5, 11, "video_abnormal"),
        (5, 12, "rapid_move"),
        (6, "", "device_fault"),
        (6, 1, "disk_failure"),
        (6, 2, "fan_failure"),
        (7, "", "other_alarm"),
        (5, 99, "video_alarm"),
        (9, 1, "other_alarm"),
        ("", "", "other_alarm"),
        ("x", "y", "other_alarm"),
    ],
)
def test_method_and_type_say_what_it_is(method: int | str, type_: int | str, kind: str) -> None:
    [event] = said(alarm(method, type_))
    assert (event.kind, event.phase) == (kind, "new")


def test_codes_that_are_not_known_are_kept_in_words() -> None:
    [event] = said(alarm(5, 99, AlarmDescription="烟雾"))
    assert event.detail == "烟雾 (AlarmMethod 5, AlarmType 99)"


@pytest.mark.parametrize(
    ("priority", "level"), [(1, "red"), (2, "orange"), (3, "yellow"), (4, "blue"), (0, ""), (5, ""), ("x", "")]
)
def test_priorities_are_levels(priority: int | str, level: str) -> None:
    [event] = said(alarm(5, 2, AlarmPriority=priority))
    assert event.level == level


@pytest.mark.parametrize(("type_", "fault"), [(1, "loss"), (2, "shift")])
def test_a_lost_picture_and_tampering_are_the_cameras_health(type_: int, fault: str) -> None:
    [there] = said(alarm(2, type_))
    [gone] = said(alarm(2, type_, AlarmStatus=0))
    assert isinstance(there, CameraHealth)
    assert (there.camera, there.faults, gone.faults, gone.source) == ("cam-2", {fault: 1.0}, {}, there.source)


def test_leaving_the_area_ends_an_intrusion_and_nothing_else() -> None:
    assert [one.phase for one in said(alarm(5, 6, 2))] == ["end"]
    assert [one.phase for one in said(alarm(5, 5, 2))] == ["new"]


def test_an_alarm_without_a_time_says_so() -> None:
    assert math.isnan(said(alarm(5, 2))[0].time)


def test_an_alarm_input_is_a_reading_of_its_point() -> None:
    decoded = decode(alarm(2, of=INPUT, AlarmTime="2025-11-23T20:13:14"), reset(of=INPUT))
    assert not decoded.events and not decoded.refused
    assert (decoded.point.tolist(), decoded.value.tolist()) == ([3, 3], [1.0, 0.0])
    assert decoded.time[0] == AT and math.isnan(decoded.time[1])


def test_an_order_to_reset_ends_everything_of_its_method_and_type() -> None:
    everything = said(reset())
    assert {one.source for one in everything if isinstance(one, CameraHealth)} == {"gb28181:loss", "gb28181:shift"}
    assert not any(one.faults for one in everything if isinstance(one, CameraHealth))
    assert {one.phase for one in everything if isinstance(one, CameraEvent)} == {"end"}
    [loss] = said(reset("<Info><AlarmMethod>2</AlarmMethod><AlarmType>1</AlarmType></Info>"))
    assert (loss.source, loss.faults) == ("gb28181:loss", {})
    some = said(reset("<Info><AlarmMethod>5/6</AlarmMethod></Info>"))
    assert {one.kind for one in some} >= {"intrusion", "device_fault"}
    assert not any(isinstance(one, CameraHealth) for one in some)
    assert said(reset("<Info><AlarmMethod>0</AlarmMethod></Info>")) == everything


def test_a_keepalive_says_that_a_device_is_there_and_what_behind_it_is_not_in_order() -> None:
    states = said(keepalive(CAMERA))  # of its picture, which may be lost all the same, it says nothing
    assert [(one.area, one.state, one.cameras) for one in states] == [("a2", "online", ("cam-2",))]
    [*_, fault] = said(keepalive(CAMERA, "ERROR"))
    assert (fault.kind, fault.camera) == ("device_fault", "cam-2")
    [fault] = said(keepalive(RECORDER, "ERROR", f"<Info><DeviceID>1</DeviceID><DeviceID>{CAMERA}</DeviceID></Info>"))
    assert (fault.kind, fault.camera) == ("device_fault", "cam-2")


def test_a_catalog_says_which_cameras_have_gone_and_come() -> None:
    off, lost, on = (
        said(
            catalog("<DeviceID>1</DeviceID><Event>OFF</Event>", f"<DeviceID>{CAMERA}</DeviceID><Event>{event}</Event>")
        )
        for event in ("OFF", "VLOST", "ON")
    )
    assert [(type(one), one.state) for one in off] == [(SourceState, "offline")]
    assert [(one.source, one.faults) for one in lost] == [("gb28181:loss", {"loss": 1.0})]
    assert len(said(catalog(f"<DeviceID>{CAMERA}</DeviceID><Status>ON</Status>"))) == 1  # of the picture nothing
    assert [one.state for one in on if isinstance(one, SourceState)] == ["online"]
    assert [(one.source, one.faults) for one in on if isinstance(one, CameraHealth)] == [("gb28181:loss", {})]


def test_a_catalog_names_defects_points_and_states_in_json_too() -> None:
    [defect] = said(catalog(f"<DeviceID>{CAMERA}</DeviceID><Event>DEFECT</Event>"))
    assert defect.kind == "device_fault"
    items = [{"DeviceID": INPUT, "Status": "OFF"}, {"DeviceID": "1", "Status": "ON"}, 7]
    [state] = said(as_json(CmdType="Catalog", DeviceID=RECORDER, DeviceList=items))
    assert (state.state, state.points) == ("offline", (3,))


def test_a_device_status_says_whether_a_camera_is_there() -> None:
    body = f"<Response><CmdType>DeviceStatus</CmdType><DeviceID>{CAMERA}</DeviceID><Online>OFFLINE</Online></Response>"
    [state] = said(body.encode())
    assert state.state == "offline"


def test_the_site_renames_and_leaves_out_kinds() -> None:
    config = Gb28181(kinds={"intrusion": "person", "motion": ""})
    assert [one.kind for one in said(alarm(5, 6), config=config)] == ["person"]
    assert [one.reason for one in decode(alarm(5, 2), config=config).refused] == ["ignored"]
