"""Whom a run tells beyond its broker: the site's file of targets, as the processes read it."""

from __future__ import annotations

import logging

from alerts.notifiers import file as notify
from alerts.notifiers.signature import secret_bytes
from alerts.notifiers.targets import PeopleTarget, TargetError, read_secret
from sensors.document import DocumentError
from sensors.site import Site
from streams.settings import Settings

logger = logging.getLogger(__name__)


def further(found: Settings, site: Site) -> notify.Listed:
    """Read the site's further targets and texts; none when its file cannot be used now."""
    return sound(found, site) or notify.Listed()


def sound(found: Settings, site: Site) -> notify.Listed | None:
    """Read the site's further targets and texts; None, with a line in the log, when its file cannot be used now."""
    if found.notify_file is None:
        return notify.Listed()
    try:
        return notify.read(found.notify_file, site)
    except DocumentError as error:  # it was sound when the run began: what is told already goes on
        logger.error("the file of targets cannot be used, error=%s", error.problems[0])
        return None


def callbacks(found: Settings, site: Site) -> dict[str, bytes]:
    """Read the keys of the callbacks that targets have; one that cannot be read has none."""
    keys: dict[str, bytes] = {}
    for target in further(found, site).targets:
        if isinstance(target, PeopleTarget):
            try:
                secret = read_secret(target.callback_env, target.callback_file)
                if secret:
                    keys[target.name] = secret_bytes(secret)
            except TargetError as error:
                logger.error("a target's callbacks cannot be taken, target=%s error=%s", target.name, error)
    return keys
