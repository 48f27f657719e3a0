"""A little OpenID Connect provider over HTTP on loopback, which can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.waiting import until

CLIENT, SECRET = "foreshock", "a secret/of+the client"


class Provider:
    """Sign everybody in as `person`; `forge` may put another token in the place of the one that is right."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})]
        self.calm()

    def calm(self) -> None:
        """Forget all lies."""
        self.person: dict[str, Any] = {"sub": "1", "preferred_username": "li.wei", "groups": ["duty"]}
        self.claims: dict[str, Any] = {}
        self.described: dict[str, Any] = {}
        self.forge: Callable[[dict[str, Any]], Any] | None = None
        self.answer: Response | None = None  # of the token endpoint
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: Any = None) -> str:
        key = key or self.keys[-1]
        key.ensure_kid()
        return jwt.encode({"alg": "ES256", "kid": key.kid, **(header or {})}, claims, key, ["ES256"])

    def confused(self, claims: dict[str, Any]) -> str:
        """Sign with the public key's very bytes as a shared key: a confused check would verify HS256 with them."""
        text = unsigned(claims, {"alg": "HS256", "kid": self.keys[-1].kid})[:-1]
        return f"{text}.{_base64(hmac.digest(self.keys[-1].as_pem(private=False), text.encode(), 'sha256'))}"

    async def describe(self, _: Request) -> Response:
        self.asked.append("describe")
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/logout",
                "authorization_response_iss_parameter_supported": True,
                **self.described,
            }
        )

    async def jwks(self, _: Request) -> Response:
        self.asked.append("jwks")
        return JSONResponse(KeySet(self.keys).as_dict())

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def token(self, request: Request) -> Response:
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(form["code"], None)  # each is good once
        challenge = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
        known = base64.b64encode(f"{CLIENT}:a+secret%2Fof%2Bthe+client".encode()).decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["code_challenge_method"] != "S256"
            or asked["redirect_uri"] != form["redirect_uri"]
            or request.headers.get("authorization") != f"Basic {known}"
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        if self.answer is not None:
            return self.answer
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims |= self.person | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse({"id_token": self.forge(claims) if self.forge else self.sign(claims)})


@contextmanager
def serving(certificate: str = "") -> Iterator[Provider]:
    """Serve one on a free port of loopback; with a certificate and its key (a PEM file) over TLS, as localhost."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.describe),
        Route("/jwks", provider.jwks),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
    ]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where = "https://localhost" if certificate else "http://127.0.0.1"
        provider.issuer = f"{where}:{listening.getsockname()[1]}"
        app = Starlette(routes=routes)
        given = {"ssl_certfile": certificate} if certificate else {}
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", **given))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield provider
        finally:
            server.should_exit = True
            thread.join(10)


def unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    """Write a token without a signature."""
    return f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}."


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
