"""Try a target out: a notice that says it is a test, sent by the notifier that runs."""

from __future__ import annotations

from alerts import cloudevent, messages
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.notice import Notice


class UnknownTarget(LookupError):
    """Say that no target of this name is served."""


def ask(deliveries: Deliveries, target: str, id: str, site: str, actor: str, time: float) -> None:
    """Ask for a test of a target; its result stands under `id`. Raise `UnknownTarget`."""
    if target not in deliveries.known():
        raise UnknownTarget(target)
    data = {"title": messages.both("notice.test"), "level": "blue", "edge": "test", "reason": actor}
    payload = cloudevent.test_event(id=id, site=site, target=target, time=time, data=data)
    notice = Notice(id=id, kind="test", area="", unit="", simulated=False, time=time, payload=payload)
    deliveries.ask_test(target, notice)
