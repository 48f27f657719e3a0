"""The end of a case that no engine knows any more: its alarm returns, its order and its incident are closed."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts import cloudevent
from alerts.outcome import AlarmTransition, DispatchChange, IncidentChange

Row = dict[str, Any]


def ended(
    id: str, record: Row, mark: str, reason: str, time: float
) -> AlarmTransition | IncidentChange | DispatchChange:
    """Make the change that ends an object, from the record of its last one; its id ends in `mark`."""
    id = f"{id}.{mark}"
    last = msgspec.convert(record, AlarmTransition | IncidentChange | DispatchChange)
    time = max(time, last.time)
    new: Row = {"id": id, "sequence": last.sequence + 1, "time": time, "actor": "engine", "reason": reason}
    if isinstance(last, AlarmTransition):
        new |= {"edge": "return", "before": last.after, "after": "NORM", "level_before": None, "explanation": None}
        new |= {"aside": None, "marks": (), "folded": 0}
    elif isinstance(last, IncidentChange):
        new |= {"edge": "closed", "state": "closed", "args": {}, "event": None}
    else:
        new |= {"edge": "closed", "leg": "closed", "deadline": None, "overdue": False, "previous": ""}
        if last.event is not None:
            new["event"] = _ended_event(last.event, id, reason, time)
    return msgspec.structs.replace(last, **new)


def _ended_event(event: Row, id: str, reason: str, time: float) -> Row:
    """Make the event that tells a unit that its order has ended, of the last one that it got."""
    said: Row = {"edge": "closed", "leg": "closed", "deadline": None, "overdue": False, "reason": reason}
    said |= {"previous": None, "copies": [], "reminders": 0}
    kind = event["type"].rpartition(".")[0]
    data = {**event["data"], **said}
    return {**event, "id": id, "type": f"{kind}.closed", "time": cloudevent.timestamp(time), "data": data}
