"""Files put with alarms: what is taken, by its content; who may open them; each look is audited."""

from __future__ import annotations

import base64
import contextlib
import time
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from alerts.console import attachments, pdf
from alerts.console.accounts import list_audit
from tests.alerts.console.conftest import Desktop, Engine

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"


FLATE = b"/Filter /FlateDecode"


def packed(objects: bytes, pack: Callable[[bytes], bytes] = zlib.compress, how: bytes = FLATE) -> bytes:
    """Put objects into an object stream of a PDF, and say how it is packed."""
    said = b"<< /Type /ObjStm /N 1 /First 4 " + how + b" >>"
    return PDF.replace(
        b"%%EOF", b"4 0 obj\n" + said + b"\nstream\r\n" + pack(b"5 0 " + objects) + b"\nendstream\n%%EOF"
    )


def foretold(objects: bytes) -> bytes:
    """Pack with a predictor: each row of five bytes begins with how it was foretold, here not at all."""
    rows = (objects[at : at + 5].ljust(5) for at in range(0, len(objects), 5))
    return zlib.compress(b"".join(b"\0" + row for row in rows))


def in_hexadecimal(objects: bytes) -> bytes:
    return zlib.compress(objects).hex().encode() + b">"


def beside(stream: bytes, data: bytes) -> bytes:
    return data.replace(b"1 0 obj", stream + b"1 0 obj")


SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"
TWICE = b"/Filter [/ASCIIHexDecode /FlateDecode]"
PREDICTED = FLATE + b" /DecodeParms << /Predictor 12 /Columns 5 >>"
DECOY = b"9 0 obj << /Length 4 >> stream\n1 2 \nendstream endobj\n"
INNOCENT = b"9 0 obj << /Type /ObjStm >> stream\n1 2 \nendstream endobj\n"


def photo() -> bytes:
    made: bytes = cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    return made


def written(data: bytes) -> str:
    return base64.b64encode(data).decode()


def attach(client: TestClient, desktop: Desktop, alarm: str, data: bytes, name: str = "f", **more: Any) -> Any:
    body = {"alarm": alarm, "name": name, "file": written(data), **more}
    return client.post("/api/v1/attachments", json=body, headers=desktop.token("duty"))


@pytest.fixture
def alarm(engine: Engine) -> str:
    engine.condition()
    return str(engine.open_incident()["alarms"][0])


def test_a_photo_and_a_pdf_are_kept_with_the_alarm_and_its_incident(
    client: TestClient, desktop: Desktop, engine: Engine, alarm: str
) -> None:
    answer = attach(client, desktop, alarm, photo(), r"C:\pictures\坡脚.png", text="the crack")
    assert answer.status_code == 200, answer.text
    assert attach(client, desktop, alarm, PDF, "permit.exe").status_code == 200
    headers = desktop.token("duty")
    told = client.get(f"/api/v1/alarms/{alarm}", headers=headers).json()
    assert [(one["name"], one["type"]) for one in told["attachments"]] == [
        ("坡脚.jpg", "image/jpeg"),
        ("permit.pdf", "application/pdf"),
    ], "by its content, whatever it was called"
    edge = next(one for one in told["transitions"] if one["edge"] == "attach")
    assert (edge["reason"], edge["before"]) == ("the crack", edge["after"])
    assert edge["attachment"]["sha"] == told["attachments"][0]["sha"]
    incident = client.get(f"/api/v1/incidents/{told['incident']}", headers=headers).json()
    assert incident["attachments"] == told["attachments"]
    assert [one["edge"] for one in incident["history"]].count("attached") == 2
    shown = client.get(told["attachments"][0]["url"], headers=headers)
    assert shown.content.startswith(b"\xff\xd8") and shown.headers["cache-control"] == "private, no-store"
    paper = client.get(told["attachments"][1]["url"], headers=headers)
    assert paper.content == PDF and paper.headers["content-disposition"].startswith("attachment")
    looks = [one for one in list_audit(desktop.console.accounts) if one.action == "alarm.attachment"]
    assert [one.target for one in looks] == [alarm, alarm], "each look is noted, a list is none"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a" + bytes(40), "type"),
        (b"MZ\x90\x00" + bytes(40), "type"),
        (b"", "malformed"),
        (photo()[:60], "malformed"),
        (PDF.replace(b"%%EOF", b""), "malformed"),
        (PDF.replace(b"/Catalog", b"/Catalog /S /JavaScript"), "active"),
        (PDF.replace(b"/Catalog", b"/Catalog /S/J#61v#61Script"), "active"),
        (PDF.replace(b"/Catalog", b"/Catalog /S /SubmitForm"), "active"),
        (PDF.replace(b"/Catalog", b"/Catalog /EF << >>"), "active"),
        (PDF.replace(b"/Catalog", b"/Catalog /#45ncrypt 5 0 R"), "locked"),
        (packed(b"<< /S /L#61unch >>"), "active"),
        (packed(b"<< /EF 7 0 R >>"), "active"),
        (packed(b"<< >>", lambda objects: objects.hex().encode() + b">"), "hidden"),
        (packed(SCRIPT, foretold, PREDICTED), "hidden"),
        (packed(SCRIPT, foretold, PREDICTED.replace(b"Decode", b"D#65code")), "hidden"),
        (packed(SCRIPT, in_hexadecimal, TWICE), "hidden"),
        (beside(DECOY, packed(SCRIPT, in_hexadecimal, TWICE)), "hidden"),
        (beside(INNOCENT, packed(SCRIPT, in_hexadecimal, TWICE)), "hidden"),
        (packed(SCRIPT, in_hexadecimal, b"/X (" + INNOCENT + b")" + TWICE), "hidden"),
        (packed(SCRIPT, in_hexadecimal, b"/Filter 7 0 R"), "hidden"),
        (packed(SCRIPT, in_hexadecimal, FLATE + TWICE), "hidden"),
        (packed(b"<< >>", how=FLATE + b" /F (elsewhere)"), "hidden"),
        (packed(SCRIPT, lambda objects: zlib.compress(objects)[:-9]), "hidden"),
        (packed(SCRIPT).replace(b"/Type /ObjStm", b""), "active"),
        (packed(b"<< /EF 7 0 R >>", lambda objects: objects, b""), "active"),
        (packed(b"/ObjStm"), "hidden"),
        (b"%PDF-" + bytes(attachments.MOST_BYTES), "oversized"),
        (photo()[:16] + (60_000).to_bytes(4) * 2 + photo()[24:], "image_bomb"),
    ],
    ids=[
        "GIF",
        "program",
        "empty",
        "half a photo",
        "half a PDF",
        "script",
        "escaped script",
        "form that is sent",
        "file within",
        "encrypted",
        "escaped in a stream",
        "file within a stream",
        "hexadecimal",
        "predictor",
        "escaped predictor",
        "two filters",
        "two filters beside a decoy",
        "two filters beside an innocent one",
        "two filters around an innocent one",
        "a filter that is said elsewhere",
        "two filters that are said twice",
        "a stream in another file",
        "half an object stream",
        "one that does not say what it is",
        "file within one in plain",
        "an object stream's type in another",
        "too large",
        "bomb",
    ],
)
def test_what_is_neither_is_refused_and_counted(data: bytes, reason: str) -> None:
    with pytest.raises(attachments.UnfitError) as told:
        attachments.take(written(data))
    assert told.value.reason == reason


@pytest.mark.parametrize(
    "data",
    [
        PDF.replace(b"/Catalog", b"/Catalog /OpenAction [3 0 R /Fit] /A << /S /URI /URI (https://example.org) >>"),
        PDF.replace(b"/Catalog", b"/Catalog /T (no /Launchpad, no /JavaScripts)"),
        PDF.replace(b"%%EOF", b"<< /Length 9 >> stream\n\x00/EF \xffab\nendstream\n%%EOF"),
        packed(b"<< /Type /Font /BaseFont /Song >>"),
        packed(b"<< /A 1 >>", lambda objects: objects, b""),
        packed(b"<< /A 1 >>", how=b"/Extends 3 0 R /Filter [/FlateDecode]"),
        beside(DECOY, packed(b"<< /A 1 >>") + packed(b"<< /B 1 >>")),
    ],
    ids=["a link", "other names", "bytes of a picture", "an object stream", "one in plain", "a longer one", "two"],
)
def test_a_pdf_that_is_only_to_be_read_is_taken_as_it_is(data: bytes) -> None:
    assert attachments.take(written(data)) == ("application/pdf", data)


@pytest.mark.parametrize(
    "junk",
    [
        *(b"stream\n", b"((((stream\r\n", b"/J#", b"endstream", b"/a#20", b"obj<<"),
        b"stream\n" + zlib.compress(b"1 0 ") + b"\nendstream\n",
        INNOCENT,
    ],
)
def test_a_pdf_made_to_be_slow_is_looked_through_all_the_same(junk: bytes) -> None:
    data = b"%PDF-1.7\n" + junk * (1_500_000 // len(junk)) + b"\n%%EOF"
    begun = time.process_time()
    with contextlib.suppress(attachments.UnfitError):
        attachments.take(written(data))
    assert time.process_time() - begun < 1.5


def test_names_that_unpack_to_a_thousandfold_are_not_looked_through() -> None:
    data = packed(b"/a#20" * 10_000_000)
    begun = time.process_time()
    with pytest.raises(attachments.UnfitError, match="hidden"):
        attachments.take(written(data))
    assert time.process_time() - begun < 1.5


def test_what_takes_too_long_to_look_through_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_SECONDS", -1.0)
    with pytest.raises(attachments.UnfitError, match="hidden"):
        attachments.take(written(PDF))


def test_objects_that_unpack_to_more_than_is_looked_through_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_INFLATED", 10_000)
    assert attachments.take(written(packed(b" " * 9_000)))
    with pytest.raises(attachments.UnfitError, match="hidden"):
        attachments.take(written(packed(b" " * 11_000)))


def test_a_refusal_leaves_nothing_behind_and_is_counted(client: TestClient, desktop: Desktop, alarm: str) -> None:
    for file in (written(b"GIF89a"), "!!!"):
        body = {"alarm": alarm, "name": "a.jpg", "file": file}
        answer = client.post("/api/v1/attachments", json=body, headers=desktop.token("duty"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_attachment")
    assert not desktop.console.config.attachments.exists()
    counted = client.get("/metrics", headers=desktop.token("administrator")).text
    assert 'foreshock_attachments_refused_total{reason="type"} 1.0' in counted
    assert 'foreshock_attachments_refused_total{reason="malformed"} 1.0' in counted


def test_the_same_file_twice_and_an_alarm_that_there_is_not_are_refused(
    client: TestClient, desktop: Desktop, alarm: str
) -> None:
    assert attach(client, desktop, alarm, PDF).status_code == 200
    again = attach(client, desktop, alarm, PDF)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "alarm.already_attached")
    assert attach(client, desktop, "none", PDF).status_code == 404


def test_a_file_is_not_for_those_who_only_watch(client: TestClient, desktop: Desktop, alarm: str) -> None:
    sha = attach(client, desktop, alarm, PDF).json()["attachment"]["sha"]
    headers = desktop.token("viewer")
    told = client.get(f"/api/v1/alarms/{alarm}", headers=headers).json()["attachments"]
    assert [one["url"] for one in told] == [None]
    assert client.get(f"/api/v1/alarms/{alarm}/attachments/{sha}", headers=headers).status_code == 403
    other = client.get(f"/api/v1/alarms/other/attachments/{sha}", headers=desktop.token("duty"))
    assert other.status_code == 404, "a hash alone opens nothing"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("...", "file.pdf"),
        ("x" * 400, "x" * 156 + ".pdf"),
        ("report\u202efdp.exe", "reportfdp.pdf"),
    ],
)
def test_a_name_is_only_a_name(name: str, clean: str) -> None:
    assert attachments.clean_name(name, "application/pdf") == clean
