"""The alarm machine against the ISA-18.2 / IEC 62682 table, every state with every edge."""

from __future__ import annotations

from typing import get_args

import pytest

from alerts import messages
from alerts.alarm import EDGES, NO_SUCH_EDGE, REFUSALS, STATES, Edge, Refusal, process_edge, step
from alerts.outcome import AlarmState

# as the standard has it, written down apart from the code: state, edge, active now → state after
STANDARD: dict[tuple[str, str, bool], str] = {
    **{("NORM", "alarm", active): "UNACK" for active in (True, False)},
    **{("UNACK", "acknowledge", active): "ACKED" for active in (True, False)},
    **{("ACKED", "return", active): "NORM" for active in (True, False)},
    **{("UNACK", "return", active): "RTNUN" for active in (True, False)},
    **{("RTNUN", "acknowledge", active): "NORM" for active in (True, False)},
    **{("RTNUN", "realarm", active): "UNACK" for active in (True, False)},
    **{("ACKED", "realarm", active): "UNACK" for active in (True, False)},
    **{("UNACK", "raise", active): "UNACK" for active in (True, False)},
    **{("UNACK", "lower", active): "UNACK" for active in (True, False)},
    **{("ACKED", "lower", active): "ACKED" for active in (True, False)},
    **{(state, "shelve", active): "SHLVD" for state in STATES if state != "SHLVD" for active in (True, False)},
    ("SHLVD", "unshelve", True): "UNACK",
    ("SHLVD", "unshelve", False): "NORM",
    **{(state, "suppress", now): "DSUPR" for state in ("NORM", "UNACK", "ACKED", "RTNUN") for now in (True, False)},
    ("DSUPR", "unsuppress", True): "UNACK",
    ("DSUPR", "unsuppress", False): "NORM",
    **{(state, "out_of_service", now): "OOSRV" for state in STATES if state != "OOSRV" for now in (True, False)},
    ("OOSRV", "in_service", True): "UNACK",
    ("OOSRV", "in_service", False): "NORM",
}

OPERATORS = ("acknowledge", "shelve", "unshelve", "suppress", "unsuppress", "out_of_service", "in_service")


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("edge", get_args(Edge))
@pytest.mark.parametrize("state", STATES)
def test_every_state_takes_every_edge_as_the_standard_says(state: AlarmState, edge: Edge, active: bool) -> None:
    expected = STANDARD.get((state, edge, active))
    if expected is not None:
        assert step(state, edge, active=active) == expected
        return
    with pytest.raises(Refusal) as refused:
        step(state, edge, active=active)
    assert refused.value.key == REFUSALS.get((state, edge), NO_SUCH_EDGE)
    assert refused.value.key in messages.MESSAGES


def test_no_operators_edge_is_both_allowed_and_refused() -> None:
    allowed = {(before, edge) for before, edge, _ in EDGES}
    operators = {(state, edge) for state in STATES for edge in OPERATORS}
    assert not allowed & REFUSALS.keys()
    assert operators == (allowed | REFUSALS.keys()) & operators


@pytest.mark.parametrize("rank", range(5))
@pytest.mark.parametrize("level", range(1, 5))
@pytest.mark.parametrize("state", STATES)
def test_every_edge_that_a_process_asks_for_exists(state: AlarmState, level: int, rank: int) -> None:
    edge = process_edge(state, level, rank)
    if edge is not None:
        step(state, edge)
    if state == "SHLVD":
        assert edge == ("unshelve" if rank > level else None), "a shelf hides nothing that is worse"
    if state in ("DSUPR", "OOSRV"):
        assert edge is None
    if state == "ACKED":
        assert (edge == "realarm") == (rank > level)
