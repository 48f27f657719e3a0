"""The routes, one module a subject. Each asks `alerts.console.permissions` for one action."""

from __future__ import annotations

from fastapi import APIRouter

from alerts.console.routes import (
    accounts,
    alarms,
    cameras,
    cap,
    changes,
    dispatches,
    duty,
    exercises,
    incidents,
    inputs,
    models,
    modes,
    notifications,
    operations,
    plans,
    publications,
    quarantine,
    replays,
    replies,
    reports,
    rules,
    session,
    site,
    watch,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    accounts.router,
    site.router,
    publications.router,
    models.router,
    rules.router,
    modes.router,
    replays.router,
    watch.router,
    cameras.router,
    quarantine.router,
    incidents.router,
    plans.router,
    duty.router,
    exercises.router,
    alarms.router,
    dispatches.router,
    inputs.router,
    reports.router,
    notifications.router,
    cap.router,
    replies.router,
    changes.router,
    operations.router,
)
