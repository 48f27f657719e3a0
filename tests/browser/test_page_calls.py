"""The page has no way in of its own: all that it does goes by routes of `/api/v1`, which the reference describes."""

from __future__ import annotations

import re

from fastapi.routing import APIRoute

from alerts.console.routes import ROUTERS
from tests.browser.test_catalogues import sources

REQUEST = re.compile(r"request<.+?>\(\s*'(GET|POST|PUT|PATCH|DELETE)',\s*(?=['`])", re.S)
READ = re.compile(r"whole<\w+>\((?=['`])|\bsheet\((?=['`])|(?=[`']/api/v1/)|(?=`\$\{ROOT\})")
WAYS_IN = re.compile(r"\b(?:fetch|EventSource|XMLHttpRequest|WebSocket|sendBeacon)\(")

STEPS = ("accept", "refuse", "on-scene", "resolve", "feed-back", "follow-up", "close")
BUILT = {  # what the page makes of two words: each of them is a route
    "/{}/{}/tick": [f"/{on}/{{}}/tick" for on in ("incidents", "dispatches")],
    "/{}/{}/untick": [f"/{on}/{{}}/untick" for on in ("incidents", "dispatches")],
    "/candidates/{}/{}": ["/candidates/{}/merge", "/candidates/{}/drop"],
    "/alarms/{}/{}": [f"/alarms/{{}}/{way}" for way in ("unshelve", "in-service", "unsuppress")],
    "/dispatches/{}/{}": [f"/dispatches/{{}}/{step}" for step in STEPS],
    "/rules/shadow{}": ["/rules/shadow", "/rules/shadow/promote", "/rules/shadow/drop"],
    "/proposals/{}/{}": ["/proposals/{}/approve", "/proposals/{}/reject"],
}


def address(text: str, at: int) -> str:
    """Read the address in the quotes that open at a place, without root and query; what is put in as `{}`."""
    quote, at, found = text[at], at + 1, ""
    while text[at] not in (quote, "?"):
        if not text.startswith("${", at):
            found += text[at]
            at += 1
            continue
        inner, depth, at = at + 2, 1, at + 2
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        if text.startswith(("query(", "several("), inner):
            break
        found += "" if text.startswith("ROOT", inner) else "{}"
    return found.removeprefix("/api/v1")


def called() -> set[tuple[str, str]]:
    """List the methods and paths that the page calls, parts of paths as `{}`."""
    found: set[tuple[str, str]] = set()
    for path in sources():
        text = path.read_text("utf-8")
        calls = [(one[1], address(text, one.end())) for one in REQUEST.finditer(text)]
        calls += [("GET", address(text, one.end())) for one in READ.finditer(text)]
        found.update((method, each) for method, shape in calls for each in BUILT.get(shape, [shape]))
    return found


def routes() -> set[tuple[str, str]]:
    return {
        (method, re.sub(r"\{[^}]*\}", "{}", route.path.removeprefix("/api/v1")))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }


def test_all_that_the_page_calls_is_a_described_route_of_the_api() -> None:
    calls = called()
    assert len(calls) > 110
    assert not {one for one in calls if one not in routes() and one[1] != "{}"}


def test_the_page_reaches_the_server_by_the_api_alone() -> None:
    for path in sources():
        for line in path.read_text("utf-8").splitlines():
            if WAYS_IN.search(line):
                assert "/api/v1" in line or "ROOT" in line, f"{path.name}: {line.strip()}"
