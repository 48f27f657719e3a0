"""Deterministic ids: the same log always names the same alarms, incidents and dispatches alike."""

from __future__ import annotations

from hashlib import blake2b


def alarm_id(rule: str, scope: str, onset: float, count: int) -> str:
    """Name the `count`-th alarm of a rule on a scope, begun at `onset`."""
    return "a-" + _digest(rule, scope, repr(onset), str(count))


def incident_id(area: str, kind: str, first: str) -> str:
    """Name the incident of an area that its `first` alarm opens."""
    return "i-" + _digest(area, kind, first)


def candidate_id(place: str, incident: str, sequence: int) -> str:
    """Name the candidate that an incident's change makes in a place."""
    return "k-" + _digest(place, incident, str(sequence))


def dispatch_id(incident: str, count: int) -> str:
    """Name the `count`-th dispatch of an incident."""
    return "d-" + _digest(incident, str(count))


def _digest(*parts: str) -> str:
    """Hash parts, each with its length before it so that no two lists of parts read alike."""
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(text.encode(), digest_size=10).hexdigest()
