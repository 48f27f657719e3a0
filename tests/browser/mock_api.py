"""The console's HTTP API with a made-up world behind it, for the page's development and its browser tests.

Run it alone with `python tests/browser/mock_api.py --play` and open the address it prints (chen / correct horse).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parent))  # the tests are no package: the mock's parts lie beside each other

from mock_admin import Administration
from mock_models import NoModel
from mock_site import drawing, route_out
from mock_site import user as account
from mock_world import Refused, World

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "alerts" / "console" / "static"


CSP = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'"
TEXTS = {
    "wrong_password": ("用户名或密码错误", "the name or the password is wrong"),
    "code_needed": ("请输入动态验证码", "enter the code of your authenticator app"),
    "wrong_code": ("动态验证码错误或已使用", "this code is wrong or was used"),
    "unauthenticated": ("请先登录", "log in first"),
    "forbidden": ("您没有执行此操作的权限", "your role does not allow this"),
    "csrf": ("请求未通过跨站校验", "the request failed the cross-site check"),
    "not_found": ("没有找到", "not found"),
}


T = TypeVar("T")


class Failure(Exception):
    """Answer with an error of the API's shape."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        self.status, self.code, self.message = status, code, message


class MockApi:
    """The world, its sessions and its listeners."""

    def __init__(self) -> None:
        self.world = World()
        self.admin = Administration()
        self.sessions: dict[str, tuple[str, str]] = {}
        self.listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self.refuse_streams = False
        self.broken = False  # nothing of the administration, and no report, can be read
        self.lose = 0  # so many answers of orders are lost after the order was done
        self.done: dict[str, tuple[bytes, Response]] = {}  # orders, and what was answered, by the key of the page
        self.world.publish = self._publish

    def _publish(self, change: dict[str, Any]) -> None:
        for queue in self.listeners:
            queue.put_nowait(change)

    def drop_streams(self) -> None:
        """End every open event stream, as a restarted server would."""
        for queue in self.listeners:
            queue.put_nowait(None)

    def resync(self, change: Callable[[], Any]) -> None:
        """Change the world behind the listeners' backs and tell them to read the lists afresh."""
        change()
        for queue in self.listeners:
            queue.put_nowait({"resync": True})

    # Sessions

    def person(self, request: Request) -> dict[str, Any]:
        session = self.sessions.get(request.cookies.get("foreshock_session", ""))
        if session is None:
            raise Failure(401, "unauthenticated")
        if request.method != "GET" and request.headers.get("x-foreshock-csrf") != session[1]:
            raise Failure(403, "csrf")
        user: dict[str, Any] = self.world.users[session[0]]
        return user

    def me(self, name: str, csrf: str) -> dict[str, Any]:
        user = self.world.users[name]
        site = self.world.site
        return {
            **user,
            "second": name in self.admin.second,
            "second_needed": self.admin.must_second and name not in self.admin.second,
            "csrf": csrf,
            "zone": site["zone"],
            "site": {"id": site["id"], "name": site["name"]},
        }

    def enter(self, name: str) -> Response:
        key, csrf = secrets.token_hex(8), secrets.token_hex(8)
        self.sessions[key] = (name, csrf)
        response = JSONResponse(self.me(name, csrf))
        response.set_cookie("foreshock_session", key, httponly=True, samesite="strict")
        return response

    async def session(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.sessions.pop(request.cookies.get("foreshock_session", ""), None)
            return JSONResponse({"ok": True})
        body = await request.json()
        if self.world.passwords.get(body["name"]) != body["password"]:
            raise Failure(401, "wrong_password")
        if body["name"] in self.admin.second and body.get("code") != "123456":
            raise Failure(401, "wrong_code" if body.get("code") else "code_needed")
        return self.enter(body["name"])

    async def who(self, request: Request) -> Response:
        self.person(request)
        name, csrf = self.sessions[request.cookies["foreshock_session"]]
        return JSONResponse(self.me(name, csrf))

    async def first(self, request: Request) -> Response:
        body = await request.json()
        self.world.users[body["name"]] = account(body["name"], body["name"], ["administrator"])
        self.world.passwords[body["name"]] = body["password"]
        return self.enter(body["name"])

    # Reading

    async def read(self, request: Request) -> Response:
        user = self.person(request)
        world, path, query = self.world, request.url.path.removeprefix("/api/v1/").split("/"), request.query_params
        field_only = user["roles"] == ["field"]
        if field_only and path[0] in ("incidents", "alarms", "points"):
            raise Failure(403, "forbidden")
        if path == ["site"]:
            return JSONResponse(world.site)
        if path == ["status"]:
            return JSONResponse(world.status())
        if path == ["map"]:
            return JSONResponse(drawing())
        if path[0] == "cameras" and path[-1] != "operations":
            if world.models_broken:
                raise Failure(503, "cameras_away", "没有画面")
            return Response(picture(), media_type="image/jpeg")
        if path == ["explore"]:
            begin, end = float(query["from"]), float(query["to"])
            return JSONResponse(world.explore(query.getlist("points"), begin, end, int(query["max"])))
        if path == ["explore", "events"]:
            camera, then = world.site["cameras"][0], float(query["to"]) - 600
            event = {
                "camera": camera["id"],
                "area": camera["areas"][0],
                "kind": "debris",
                "time": then,
                "confidence": 0.8,
            }
            return JSONResponse({"items": [{**event, "detail": "", "simulated": True}], "complete": True})
        if path == ["explore.csv"]:
            return Response("time,point,value,unit,score\r\n", media_type="text/csv")
        if path[0] == "plans":
            return JSONResponse(route_out(path[3]))
        if path[0] == "areas":
            return JSONResponse(world.areas_status() if path[1] == "status" else world.area_status(path[1]))
        if path == ["users"]:
            return JSONResponse({"items": list(world.users.values()), "next": None})
        if path[0] in ("tokens", "sessions", "audit", "system", "situation"):
            if path[0] != "situation" and "administrator" not in user["roles"]:
                raise Failure(403, "forbidden")
            if self.broken:
                raise Failure(503, "no_journal", "日志库尚未就绪")
            return JSONResponse(self.admin.read(path, query, world.site))
        if path[0] in world.rooms:
            return JSONResponse(world.rooms[path[0]](path[1:]))
        if path == ["candidates"]:
            return JSONResponse({"items": world.candidates, "next": None})
        if path == ["silences"]:
            return JSONResponse({"items": world.silences, "next": None})
        if path == ["reports"]:
            subject = query.get("subject")
            items = [row for row in world.reports if subject in (None, "", row["subject"])]
            return JSONResponse({"items": items, "next": None})
        if path[0] == "quarantine":
            return JSONResponse(world.refused_counts() if path[-1] == "statistics" else world.refused())
        if path[0] in ("models", "quality"):
            if world.models_broken:
                raise Failure(503, "no_engine", "")
            if not {"duty", "analyst", "administrator"} & set(user["roles"]):
                raise Failure(403, "forbidden")
            if path == ["quality"]:
                poor = {"point": "slope-shiyan-1.rain", "areas": ["slope-shiyan-1"], "day": {"jump": 3, "late": 1}}
                poor |= {"total": {"jump": 3}, "clock": 93.0, "last_good": time.time() - 60}
                return JSONResponse({"items": [poor], "cameras": [], "guessed": world.models.guessed})
            return JSONResponse(world.models.models() if len(path) == 1 else world.models.page(query))
        if path[0] == "points":
            return JSONResponse(
                world.trace(path[1], float(query["from"]), float(query["to"]), int(query["max"]), float(query["ahead"]))
            )
        rows: dict[str, dict[str, Any]] = {
            "incidents": world.incidents, "alarms": world.alarms, "dispatches": world.dispatches,
        }.get(path[0], {})  # fmt: skip
        if len(path) == 2:
            if path[1] not in rows:
                raise Failure(404, "not_found")
            return JSONResponse(world.incident(path[1]) if path[0] == "incidents" else rows[path[1]])
        items = list(rows.values())
        wanted = query.get("state", "open")
        if wanted == "open":
            items = [row for row in items if row.get("state", row.get("leg")) not in ("closed", "NORM", "refused")]
        elif wanted != "all":
            items = [row for row in items if row.get("state", row.get("leg")) == wanted]
        if field_only:
            items = [row for row in items if row["unit"] == user["unit"]]
        begin, most = int(query.get("before") or 0), int(query.get("limit", 50))
        hidden, more = {"history", "transitions", "snapshots"}, begin + most < len(items)
        told = [{key: row[key] for key in row.keys() - hidden} for row in items[begin : begin + most]]
        return JSONResponse({"items": told, "next": begin + most if more else None})

    async def snapshot(self, request: Request) -> Response:
        self.person(request)
        return Response(picture(), media_type="image/jpeg")

    # Writing

    async def write(self, request: Request) -> Response:
        """Do an order once, as the console does: another under the same key is refused."""
        self.person(request)
        key = request.headers.get("idempotency-key", "")
        if not key:
            return await self._write(request)
        said = await request.body()
        if key not in self.done:
            self.done[key] = said, await self._write(request)
            if self.lose:
                self.lose -= 1
                raise Failure(504, "no_answer", "no answer")
        before, answer = self.done[key]
        if said != before:
            raise Failure(422, "key_used", "此 Idempotency-Key 已用于另一个请求")
        return answer

    async def _write(self, request: Request) -> Response:
        user = self.person(request)
        content = await request.body()
        body = json.loads(content) if content else {}
        path = request.url.path.removeprefix("/api/v1/").split("/")
        actor = f"user:{user['name']}"
        if path[0] in ("tokens", "sessions", "system", "me") or path[-1] in ("second-step", "export", "erase"):
            return JSONResponse(self.admin.write(request.method, path, body, user["name"]))
        world = self.world
        if user["roles"] == ["viewer"] or (user["roles"] == ["field"] and path[0] not in ("dispatches", "reports")):
            raise Failure(403, "forbidden")
        try:
            if path[-1] in ("acknowledge", "close") and path[0] in ("alarms", "incidents"):
                of = world.alarms if path[0] == "alarms" else world.incidents
                if body["sequence"] < of[path[1]].get("worsened", 0):
                    raise Refused("情况刚刚加重，请看过后再操作")
            if path[0] == "models":
                if not {"analyst", "administrator"} & set(user["roles"]):
                    raise Failure(403, "forbidden")
                if path[1] == "promote":
                    return JSONResponse(world.models.promote(body["version"], actor, body["reason"]))
                return JSONResponse(world.models.rollback(body["of"], body["present"], actor, body["reason"]))
            if path == ["users"]:
                world.users[body["name"]] = account(body["name"], body["display"], body["roles"], body.get("unit"))
            elif path[0] == "users":
                world.users[path[1]].update(body)
            elif path[0] in ("rules", "replays", "proposals", "publications"):
                if not {"analyst", "administrator"} & set(user["roles"]):
                    raise Failure(403, "forbidden")
                return JSONResponse(self.of_rules(path, body, actor))
            elif path == ["quarantine", "replay"]:
                return JSONResponse(world.decode_again(body["dry_run"]))
            elif path == ["exercises"]:
                world.drill = body["script"]
                return JSONResponse({"id": "e1"}, 202)
            elif path[0] == "exercises":
                world.drill_ended = time.time()
            elif path[0] == "modes":
                until = time.time() + body.get("seconds", 0.0)
                world.put_into_mode(actor, body["mode"], body["areas"], until, body["reason"])
            elif path == ["reports"]:
                world.report(body["text"], category=body["category"], subject=None)
                world.reports[0].update(id=body["id"], time=body["time"], area=body["area"])
                world.reports[0]["photo"] = body.get("photo")
            elif path[0] == "dispatches":
                world.step(path[1], actor, path[2], body.get("reason") or body.get("note") or "")
            elif path[0] == "alarms" and path[2] == "assign":
                world.assign(path[1], actor, body["to"], body["reason"])
            elif path[0] == "alarms" and path[2] == "shelve":
                world.shelve(path[1], actor, body["seconds"], body["reason"])
            elif path[0] == "alarms" and path[2] == "unshelve":
                world.unshelve(path[1], actor)
            elif path[0] == "alarms" and path[2] == "reset":
                world.reset(path[1], actor)
            elif path[0] == "alarms":
                world.acknowledge_alarm(path[1], actor)
            elif path == ["silences"]:
                world.silences.append({"id": f"s{len(world.silences)}", "by": actor, **silenced(body)})
            elif path[2] in ("merge", "split", "drop"):
                world.candidates = [one for one in world.candidates if one["id"] != path[1]]
                world.regrouped.append((path[1], path[2], body))
            elif path[2] == "acknowledge":
                world.acknowledge(path[1], actor)
            elif path[2] == "dispatch":
                world.dispatch(path[1], actor, body["unit"], body["note"])
            elif path[2] == "comment":
                world.comment(path[1], actor, body["text"])
            else:
                world.close(path[1], actor, body["disposition"], body["reason"])
        except (Refused, NoModel) as refused:
            raise Failure(409, "refused", str(refused)) from refused
        return JSONResponse({"ok": True, "id": secrets.token_hex(8), "result": {}})

    def of_rules(self, path: list[str], body: dict[str, Any], actor: str) -> dict[str, Any]:
        world = self.world
        if path[0] == "replays":
            return world.begin_replay(actor, body["text"], body["rule"], body["sweep"])
        if path == ["rules", "check"]:
            name = {"zh": "蠕动", "en": "creep"}
            test = {"rule": "slope-creep", "name": name, "line": 7, "state": "passed", "said": ""}
            flaw = {"file": "draft.yaml", "line": 5, "field": "rules[0].levels", "message": "unknown name 'valu'"}
            broken = "valu " in body["text"]
            rule = {"id": "slope-creep", "how": "changed", "fields": [], "version": 1, "raise_version": True}
            return {
                "problems": [flaw] if broken else [], "more": 0, "rules": [] if broken else [rule],
                "tests": [{**test, "state": "not_run"} if broken else test],
            }  # fmt: skip
        if path[-1] == "draft":
            facts = {"rule": path[1], "text": body["text"], "base": body["base"]}
            world.rule_drafts[path[1]] = {**facts, "begun": time.time(), "changed": time.time()}
            return {"draft": world.rule_drafts[path[1]], "others": []}
        if path[0] == "proposals":
            world.proposals[0].update(state="approved" if path[2] == "approve" else "rejected", by=actor)
        elif path[0] == "publications":
            for one in world.publications:
                one["in_force"] = one["version"] == body["version"]
            differs = {"rules": {"changed": ["slope-creep"], "unraised": ["slope-creep"]}}
            return {"version": body["version"], "changed": True, "waiting": False, "difference": differs}
        elif path[-1] == "shadow":
            world.run_in_the_shadow(actor, body["reason"])
        else:
            state = "promoted" if path[-1] == "promote" else "ended"
            world.shadow = {**(world.shadow or {}), "state": state, "ended": 0.0, "ended_by": actor}
        return {"ok": True, "waiting": False}

    # Live

    async def changes(self, request: Request) -> Response:
        self.person(request)
        if self.refuse_streams:
            raise Failure(503, "too_many_viewers", "busy")
        since = int(request.headers.get("last-event-id") or request.query_params.get("since", 0))
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        for change in self.world.changes[since:]:
            queue.put_nowait(change)
        self.listeners.add(queue)
        return StreamingResponse(
            self._events(queue), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def _events(self, queue: asyncio.Queue[dict[str, Any] | None]) -> AsyncIterator[str]:
        try:
            while True:
                yield f"event: pulse\ndata: {json.dumps(self.world.status(self.world.held))}\n\n"
                deadline = asyncio.get_running_loop().time() + 1
                while (left := deadline - asyncio.get_running_loop().time()) > 0:
                    try:
                        change = await asyncio.wait_for(queue.get(), left)
                    except TimeoutError:
                        break
                    if change is None:
                        return
                    if "resync" in change:
                        yield "event: resync\ndata: {}\n\n"
                        continue
                    yield f"id: {change['position']}\nevent: change\ndata: {json.dumps(change)}\n\n"
        finally:
            self.listeners.discard(queue)

    # The application

    def app(self) -> Starlette:
        async def page(request: Request) -> Response:
            path = (STATIC / request.path_params["path"]).resolve()
            path = path / "index.html" if path.is_dir() else path
            return FileResponse(path if path.is_file() and path.is_relative_to(STATIC) else STATIC / "index.html")

        async def failed(request: Request, error: Exception) -> Response:
            assert isinstance(error, Failure)
            english = request.headers.get("accept-language", "").startswith("en")
            message = error.message or TEXTS.get(error.code, (error.code, error.code))[english]
            return JSONResponse({"error": {"code": error.code, "message": message}}, error.status)

        base = "/api/v1"
        return Starlette(
            routes=[
                Route(f"{base}/session", self.session, methods=["POST", "DELETE"]),
                Route(f"{base}/me", self.who),
                Route(f"{base}/first-administrator", self.first, methods=["POST"]),
                Route(f"{base}/changes", self.changes),
                Route(f"{base}/snapshots/{{name}}", self.snapshot),
                Route(f"{base}/{{path:path}}", self.read, methods=["GET"]),
                Route(f"{base}/{{path:path}}", self.write, methods=["POST", "PATCH", "PUT", "DELETE"]),
                Route("/{path:path}", page),
            ],
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=_secure)],
            exception_handlers={Failure: failed},
        )


def silenced(body: dict[str, Any]) -> dict[str, Any]:
    """Make a silence as the API lists it from the order that begins it."""
    now = time.time()
    named = {name: body.get(name, []) for name in ("areas", "scopes", "rules")}
    until = now + body["seconds"]
    return {"state": "on", "since": now, "until": until, "level": body["level"], "reason": body["reason"], **named}


async def _secure(request: Request, follow: RequestResponseEndpoint) -> Response:
    response = await follow(request)
    response.headers["Content-Security-Policy"] = CSP
    return response


def picture() -> bytes:
    """Draw a slope in the rain as a JPEG."""
    import cv2
    import numpy as np

    rows = np.linspace(0, 1, 360)[:, None, None]
    image = (np.array([[[92, 84, 74]]]) * (1 - rows) + np.array([[[56, 66, 58]]]) * rows) * np.ones((360, 640, 1))
    image = image.astype(np.uint8)
    slope = np.array([[0, 110], [150, 70], [330, 150], [460, 260], [640, 300], [640, 360], [0, 360]])
    cv2.fillPoly(image, [slope], (48, 82, 70))
    slide = np.array([[210, 105], [300, 140], [400, 235], [430, 300], [330, 310], [260, 220]])
    cv2.fillPoly(image, [slide], (58, 84, 118))
    random = np.random.default_rng(3)
    for x, y, size in zip(
        random.integers(280, 430, 30), random.integers(200, 310, 30), random.integers(2, 7, 30), strict=True
    ):
        cv2.circle(image, (int(x), int(y)), int(size), (78, 98, 126), -1)
    for x, y in zip(random.integers(0, 640, 260), random.integers(0, 360, 260), strict=True):
        cv2.line(image, (int(x), int(y)), (int(x) - 3, int(y) + 14), (128, 128, 124), 1)
    cv2.rectangle(image, (252, 130), (446, 318), (60, 154, 255), 2)
    cv2.putText(image, "debris 0.91", (254, 124), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (60, 154, 255), 1, cv2.LINE_AA)
    done, jpeg = cv2.imencode(".jpg", cv2.GaussianBlur(image, (3, 3), 0))
    assert done
    return bytes(jpeg.tobytes())


class Running:
    """A mock API that serves in a thread; `do` runs something in its loop."""

    def __init__(self, api: MockApi, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.api, self.url, self._loop = api, url, loop

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop that serves, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def do(self, act: Callable[[MockApi], Any]) -> Any:
        async def run() -> Any:
            return act(self.api)

        return self.wait(run())


@contextlib.contextmanager
def serve(port: int = 0) -> Iterator[Running]:
    """Serve a fresh world until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    api = MockApi()
    config = uvicorn.Config(api.app(), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    ready = threading.Event()
    held: dict[str, asyncio.AbstractEventLoop] = {}

    async def main() -> None:
        held["loop"] = asyncio.get_running_loop()
        ready.set()
        await server.serve([listener])

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield Running(api, f"http://127.0.0.1:{listener.getsockname()[1]}", held["loop"])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def _play() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--play", action="store_true", help="raise the landslide a few seconds after the start")
    options = parser.parse_args()
    with serve(options.port) as running:
        print(running.url, "— chen / correct horse (duty), zhang / correct horse (field)")
        pause = threading.Event()
        with contextlib.suppress(KeyboardInterrupt):
            if options.play:
                pause.wait(8)
                incident = running.do(lambda api: api.world.landslide())
                pause.wait(20)
                running.do(lambda api: api.world.worsen(incident))
            pause.wait()


if __name__ == "__main__":
    _play()
