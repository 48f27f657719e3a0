"""Who may do what: one table of roles and actions, asked by every route."""

from __future__ import annotations

from collections.abc import Iterable

ROLES = ("gateway", "viewer", "duty", "dispatcher", "field", "analyst", "administrator")
"""All roles, from the one that may do least."""

GATEWAY = "gateway"
"""The role of a machine that brings readings and reports, and sees nothing."""

OWN_UNIT = "field"
"""The role that acts for a unit: what it alone allows is allowed with that unit's dispatches only."""

_EVERYONE = frozenset(ROLES) - {GATEWAY}
_WATCHING = _EVERYONE - {OWN_UNIT}
_SEAT = frozenset({"duty", "dispatcher", "administrator"})
_ADMINISTRATOR = frozenset({"administrator"})

TABLE: dict[str, frozenset[str]] = {
    "account.read": _EVERYONE | {GATEWAY},
    "site.read": _EVERYONE,
    "status.read": _EVERYONE,
    "changes.read": _EVERYONE,
    "incidents.read": _WATCHING,
    "incidents.acknowledge": _SEAT,
    "incidents.dispatch": _SEAT,
    "incidents.comment": _SEAT | {"analyst"},
    "incidents.close": _SEAT,
    "incidents.regroup": _SEAT,
    "incidents.tick": _SEAT,
    "plans.read": _WATCHING,
    "alarms.read": _WATCHING,
    "alarms.acknowledge": _SEAT,
    "alarms.reset": _SEAT,
    "alarms.comment": _SEAT | {"analyst"},
    "alarms.assign": _SEAT,
    "alarms.attach": _SEAT | {"analyst"},
    "attachments.read": _SEAT | {"analyst"},
    "alarms.shelve": _SEAT,
    "alarms.out_of_service": _SEAT,
    "alarms.suppress": frozenset({"analyst", "administrator"}),
    "silences.read": _WATCHING,
    "silences.write": _SEAT,
    "modes.read": _WATCHING,
    "modes.write": frozenset({"dispatcher", "analyst", "administrator"}),
    "dispatches.read": _EVERYONE,
    "dispatches.answer": _SEAT | {OWN_UNIT},
    "dispatches.close": _SEAT | {OWN_UNIT},
    "duty.read": _WATCHING,
    "handovers.read": _WATCHING,
    "handovers.sign": _SEAT,
    "exercises.read": _WATCHING,
    "exercises.write": _SEAT,
    "points.read": _WATCHING,
    "areas.read": _WATCHING,
    "situation.read": _WATCHING,
    "snapshots.read": _WATCHING,
    "cameras.view": _SEAT,
    "quarantine.read": frozenset({"duty", "analyst", "administrator"}),
    "readings.write": frozenset({GATEWAY, "administrator"}),
    "reports.read": _WATCHING,
    "reports.photo": _SEAT,
    "reports.write": _SEAT | {GATEWAY, OWN_UNIT},
    "quarantine.replay": frozenset({"analyst", "administrator"}),
    "publications.read": frozenset({"duty", "analyst", "administrator"}),
    "publications.write": frozenset({"analyst", "administrator"}),
    "models.read": frozenset({"duty", "analyst", "administrator"}),
    "models.write": frozenset({"analyst", "administrator"}),
    "replays.read": frozenset({"duty", "analyst", "administrator"}),
    "replays.write": frozenset({"analyst", "administrator"}),
    "notifications.read": _SEAT | {"analyst"},
    "notifications.write": _ADMINISTRATOR,
    "users.manage": _ADMINISTRATOR,
    "sessions.manage": _ADMINISTRATOR,
    "tokens.manage": _ADMINISTRATOR,
    "system.read": _ADMINISTRATOR,
    "system.write": _ADMINISTRATOR,
    "audit.read": _ADMINISTRATOR,
    "metrics.read": frozenset({"analyst", "administrator"}),
}
"""Action → the roles that may take it."""

CONFINED = frozenset(
    action
    for action in TABLE
    if action.partition(".")[0] in ("account", "site", "status", "changes", "alarms", "dispatches", "points", "areas")
) | {
    "incidents.read",
    "incidents.acknowledge",
    "incidents.dispatch",
    "incidents.comment",
    "incidents.close",
    "incidents.tick",
    "attachments.read",
    "plans.read",
    "duty.read",
    "exercises.read",
    "exercises.write",
    "modes.read",
    "silences.read",
    "situation.read",
    "snapshots.read",
    "cameras.view",
    "reports.read",
    "reports.photo",
    "reports.write",
}
"""The actions that heed areas: who is confined to places takes these there, and no other."""

WHOLE_SITE = frozenset({GATEWAY, "analyst", "administrator"})
"""The roles whose work is the whole site's: nobody who has one is confined to places."""


def allowed(action: str, roles: Iterable[str]) -> bool:
    """Say whether any of `roles` may take `action`. Raise `KeyError` on an action that the table does not know."""
    return not TABLE[action].isdisjoint(roles)


def own_unit_only(action: str, roles: Iterable[str]) -> bool:
    """Say whether these roles may take `action` with their own unit's dispatches only: none but `field` allows it.

    Asked for each action by itself: a role that may look at everything does not widen what one may answer.
    """
    return TABLE[action].intersection(roles) <= {OWN_UNIT}
