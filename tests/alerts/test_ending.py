"""The end of a case that no engine knows: one change, made of its last one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from alerts.desk import Desk
from alerts.ending import ended
from alerts.outcome import AlarmTransition, DispatchChange, IncidentChange
from tests.alerts.cases import SITE, change


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (AlarmTransition, {"edge": "return", "before": "UNACK", "after": "NORM", "explanation": None}),
        (IncidentChange, {"edge": "closed", "state": "closed", "disposition": "", "level": "orange"}),
        (DispatchChange, {"edge": "closed", "leg": "closed", "deadline": None, "overdue": False}),
    ],
)
@pytest.mark.parametrize("simulated", [False, True])
def test_it_ends_as_itself_with_an_id_of_its_own(kind: type, says: dict[str, Any], simulated: bool) -> None:
    desk = Desk(SITE)
    out = [*desk.condition(change(3, simulated=simulated), 1000.0), *desk.tick(1300.0)]
    last = [one for one in out if isinstance(one, kind)][-1]
    end = ended("x-1", msgspec.to_builtins(last), "mark", "log.replaced", 900.0)
    assert isinstance(end, kind)
    assert (end.id, end.sequence, end.reason, end.simulated) == (
        "x-1.mark",
        last.sequence + 1,
        "log.replaced",
        simulated,
    )
    assert end.time == last.time, "never before what came last"
    assert {name: getattr(end, name) for name in says} == says
    event = getattr(end, "event", None)
    if event is not None:
        assert (event["id"], event["data"]["status"]) == (end.id, "Exercise" if simulated else "Actual")
