"""What comes in over HTTP: readings that a gateway pushes, and what people report."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
import uuid
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError

from alerts.console import schema
from alerts.console.accounts import first_stamp, push_id, record_audit
from alerts.console.commands import OBSERVATIONS, hand_over
from alerts.console.config import Outgoing
from alerts.console.console import Console
from alerts.console.errors import Problem, admit
from alerts.console.identity import Identity, allow
from alerts.console.messages import unfit
from alerts.console.persons import pseudonym
from sensors import observation
from sensors.dialects import values
from sensors.lookup import nearest_area
from sensors.observation import Report
from sensors.push import Reading, Turned, as_sent

router = APIRouter(prefix="/api/v1", tags=["inputs"])

WEEK = 7 * 86400.0
PHOTO_BYTES, PHOTO_SECONDS = 2_000_000_000, 90 * 86400.0
"""Bytes of reports' photos beyond which the oldest go, and for how long they are kept."""

PRUNE_SECONDS = 60.0
"""Seconds between two looks at all photos."""

MOST_PHOTOS = 4
"""Reports with a photo that wait for the one that is made anew; further ones are asked to come again."""

NEAR = 1000.0
"""Metres within which an area is taken to be meant by a location."""


@router.post("/readings", response_model=schema.Taken)
async def readings(
    request: Request, body: schema.NewReadings, identity: Annotated[Identity, Depends(allow("readings.write"))]
) -> dict[str, Any]:
    """Push readings, at most 10 000. They are durable once answered; sent again with the same id, none counts twice."""
    console: Console = request.app.state.console
    given = [_reading(one) for one in body.readings]
    digest = hashlib.sha256(b"\n".join(map(as_sent, given))).hexdigest()

    def take() -> tuple[list[Outgoing], int, list[Turned]]:
        now = time.time()
        stamp = _stamp(console, push_id(identity.actor, body.id), digest, now)
        with console.pushing:
            pushed = console.push.take(given, stamp, now, identity.actor)
        return [(topic, at, None, value) for topic, at, value in pushed.records], pushed.accepted, pushed.refused

    records, accepted, refused = await to_thread.run_sync(take)
    if records:
        await hand_over(console.config.feed, records)
    return {"id": body.id, "accepted": accepted, "refused": [one._asdict() for one in refused]}


def _reading(one: Any) -> Reading:
    """Take a reading as the log's side knows it; one that is none with what was sent, and what is wrong with it."""
    if isinstance(one, schema.NewReading):
        return Reading(one.point, one.value, one.time, one.quality, one.unit)
    try:
        schema.NewReading.model_validate(one)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        flaw = _sound(f"{'.'.join(map(str, first['loc'])) or 'reading'}: {first['msg']}"[:200])
    else:
        flaw = "it is no reading"
    point = one.get("point") if isinstance(one, dict) else None
    return Reading(_sound(point[:128]) if isinstance(point, str) else "", json.dumps(one)[:500], flaw=flaw)


def _sound(text: str) -> str:
    """Escape halves of characters, which JSON may hold and UTF-8 has no bytes for."""
    return text.encode(errors="backslashreplace").decode()


@router.post("/reports", response_model=schema.Reported)
async def reports(
    request: Request, body: schema.NewReport, identity: Annotated[Identity, Depends(allow("reports.write"))]
) -> dict[str, Any]:
    """Report something that a person has seen: rules know it as an event of the kind `report-<category>`."""
    console: Console = request.app.state.console
    admit(console.throttle.report(identity.actor), "too_many_reports")
    now = time.time()
    seen = _time(console, body.time, now)
    area = _area(console, body)
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()

    def write() -> tuple[str, str | None, bytes]:
        id = push_id(identity.actor, body.id) if body.id else uuid.uuid4().hex
        stamp = _stamp(console, id, digest, now) if body.id else now
        photo = None if body.photo is None else _keep(console, body.photo)
        report = Report(
            id=id,
            area=area,
            category=body.category,
            time=stamp if seen is None else min(seen, stamp),
            received=now,
            text=body.text,
            subject=None if body.subject is None else pseudonym(console.subject_key, body.subject),
            photo=photo,
            actor=identity.actor,
        )
        record_audit(console.accounts, identity.actor, "report.write", area, report=id, category=body.category)
        return id, photo, observation.encode(report)

    if body.photo is None:
        id, photo, record = await to_thread.run_sync(write)
    else:  # one at a time, and none of them waits in the threads that answer everybody else
        if console.photographing.statistics().tasks_waiting >= MOST_PHOTOS:
            raise Problem(503, "too_many_photos", headers={"Retry-After": "10"})
        id, photo, record = await to_thread.run_sync(write, limiter=console.photographing)
    await hand_over(console.config.feed, [(OBSERVATIONS, console.registry.partition(area), None, record)])
    return {"id": id, "area": area, "photo": photo}


def _time(console: Console, sent: float | str | None, now: float) -> float | None:
    """Read a report's time. Raise `Problem` on one that is none, or not of the last week."""
    if sent is None:
        return None
    times, wrong = values.times([sent], console.config.site.zone)
    if wrong or not now - WEEK <= times[0] <= now + 60:
        raise Problem(422, "bad_time", field="time")
    return float(times[0])


def _stamp(console: Console, id: str, digest: str, now: float) -> float:
    """Return when what has this id first came. Raise `Problem` when that was something else."""
    stamp = first_stamp(console.accounts, id, digest, now)
    if stamp is None:
        raise Problem(409, "other_push", field="id")
    return stamp


def _area(console: Console, body: schema.NewReport) -> str:
    if body.area is not None:
        area = console.registry.area(body.area)
        if area is None:
            raise Problem(422, "unknown_area", field="area")
        return area.id  # which it may have been named otherwise before
    if body.location is not None:
        latitude, longitude = body.location
        found = nearest_area(console.config.site.areas, (latitude, longitude), NEAR)
        if found is not None:
            return found.id
    raise Problem(422, "no_area", field="area")


def _keep(console: Console, photo: str) -> str:
    from sensors.camera.picture import renewed  # here: OpenCV takes long to load, and most reports have no photo
    from sensors.camera.snapshot import keep, prune

    try:
        name = keep(console.config.photos, renewed(base64.b64decode(photo, validate=True)))
        if time.monotonic() >= console.prune_photos:
            console.prune_photos = time.monotonic() + PRUNE_SECONDS
            prune(console.config.photos, PHOTO_BYTES, PHOTO_SECONDS)
        return name
    except binascii.Error as error:
        raise Problem(422, "bad_photo", field="photo", reason=unfit("malformed")) from error
    except ValueError as error:
        reason = unfit(getattr(error, "reason", "malformed"))
        raise Problem(422, "bad_photo", field="photo", reason=reason) from error
