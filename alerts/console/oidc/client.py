"""One provider: what it says of itself, its keys, a code exchanged for a token. All calls are bounded and guarded."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec

from alerts.console.oidc.file import Provider, callback, wrong_address
from alerts.notifiers.address import resolve
from alerts.notifiers.notice import Failed, Rejected
from alerts.notifiers.targets import read_secret
from sensors.site import Site

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

T = TypeVar("T")

SECONDS = 8.0
"""Seconds for which the provider is waited for, all calls of one step together."""

MOST_BYTES = 256 * 1024
KEPT = 3600.0
"""Seconds for which what a provider says of itself and its keys are kept."""

AGAIN = 30.0
"""Seconds before keys are asked for anew because a token names one that is not known: strangers may send such."""

_HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",  # a small answer must not unpack to a large one
    "user-agent": "foreshock",
}


def open_client(provider: Provider, site: Site) -> Client:
    """Make the client of a site's provider. Raise `TargetError` when its secret cannot be read."""
    secret = read_secret(provider.secret_env, provider.secret_file)
    return Client(provider, secret, callback(site.console), site.console)


class ProviderAway(Exception):
    """Raised when a provider does not answer as it should; says what happened, without secrets."""


class ProviderRefused(Exception):
    """Raised when what came back is not believed, or the provider says no. `code` is a problem that the page knows."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Flow(msgspec.Struct, frozen=True):
    """One sign-in under way; it lies in a signed cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str


class Discovered(msgspec.Struct, frozen=True, kw_only=True):
    """What is used of a provider's description of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Client:
    """Speak with one provider. `redirect` is the one address to which it sends people back, `home` ours."""

    def __init__(
        self, provider: Provider, secret: str, redirect: str, home: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.provider, self.redirect, self.home = provider, redirect, home
        self._secret, self._clock = secret, clock
        self._tls: ssl.SSLContext | None = None
        self._discovered: tuple[float, Discovered] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def begin(self) -> tuple[str, Flow]:
        """Begin a sign-in: return where the browser goes, and what it must bring back. Raise `ProviderAway`."""
        flow = Flow(*(secrets.token_urlsafe(32) for _ in range(3)))
        async with _patience():
            there = await self._describe()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.provider.client,
            "redirect_uri": self.redirect,
            "scope": " ".join(dict.fromkeys(("openid", *self.provider.scopes))),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self.provider.second.acr:
            asked["acr_values"] = " ".join(self.provider.second.acr)
        return _with(there.authorization_endpoint, asked), flow

    async def finish(self, flow: Flow, code: str, issuer: str | None) -> dict[str, Any]:
        """Return the claims of whom a code stands for. `issuer` is who says to have sent it (RFC 9207).

        Raise `ProviderAway`, or `ProviderRefused` when something is not as it must be.
        """
        from alerts.console.oidc.token import check  # here: only who signs in so needs it

        async with _patience():
            there = await self._describe()
            if issuer is not None and issuer != there.issuer:
                raise ProviderRefused("token", "another issuer sent it")
            if issuer is None and there.authorization_response_iss_parameter_supported:
                raise ProviderRefused("token", "no issuer says to have sent it")
            text = await self._exchange(there, flow, code)
            return await self._by_its_keys(
                there, lambda keys: check(text, self.provider, keys, flow.nonce, self._clock())
            )

    async def logged_out(self, text: str) -> tuple[str, str]:
        """Return whose sessions end by a logout token, and the token's id. Raise as `finish` does."""
        from alerts.console.oidc.token import check_logout  # here: only who signs in so needs it

        async with _patience():
            there = await self._describe()
            return await self._by_its_keys(there, lambda keys: check_logout(text, self.provider, keys, self._clock()))

    async def _by_its_keys(self, there: Discovered, judge: Callable[[KeySet], T]) -> T:
        """Judge a token by the provider's keys, and by newer ones where it names one that is not known."""
        from alerts.console.oidc.token import TokenError, UnknownKey

        try:
            try:
                return judge(await self._read_keys(there, anew=False))
            except UnknownKey:
                return judge(await self._read_keys(there, anew=True))
        except TokenError as error:
            raise ProviderRefused("token", str(error)) from error

    async def leave(self) -> str | None:
        """Return where to go to end the session at the provider too; None where it cannot be ended, or is away."""
        try:
            async with _patience():
                there = await self._describe()
        except ProviderAway:
            return None
        if not there.end_session_endpoint:
            return None
        back = {"client_id": self.provider.client, "post_logout_redirect_uri": self.home}
        return _with(there.end_session_endpoint, back)

    async def _describe(self) -> Discovered:
        now = self._clock()
        if self._discovered is not None and 0 <= now - self._discovered[0] < KEPT:
            return self._discovered[1]
        where = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, said = await self._call("GET", where)
        try:
            found = msgspec.convert(said, Discovered)
        except msgspec.ValidationError as error:
            raise ProviderAway(f"it does not describe itself (status {status}): {error}") from error
        if status != 200 or found.issuer != self.provider.issuer:
            raise ProviderAway("it calls itself by another issuer than the file names")
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.end_session_endpoint)
        for address in filter(None, addresses):
            if wrong := wrong_address(address, self.provider.allow_private):
                raise ProviderAway(f"an address that it names {wrong}")
        self._discovered = now, found
        return found

    async def _read_keys(self, there: Discovered, *, anew: bool) -> KeySet:
        from alerts.console.oidc.token import read_keys  # here: only who signs in so needs it

        now = self._clock()
        if self._keys is not None and 0 <= now - self._keys[0] < (AGAIN if anew else KEPT):
            return self._keys[1]
        status, said = await self._call("GET", there.jwks_uri)
        if status != 200:
            raise ProviderAway(f"its keys were answered with {status}")
        self._keys = now, read_keys(said)
        return self._keys[1]

    async def _exchange(self, there: Discovered, flow: Flow, code: str) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": flow.verifier,
        }
        auth = None
        if not self._secret:
            form["client_id"] = self.provider.client
        elif "client_secret_basic" in there.token_endpoint_auth_methods_supported:
            # both halves as in a form (RFC 6749, 2.3.1)
            auth = httpx.BasicAuth(quote_plus(self.provider.client), quote_plus(self._secret))
        else:
            form |= {"client_id": self.provider.client, "client_secret": self._secret}
        status, said = await self._call("POST", there.token_endpoint, form, auth)
        if 400 <= status < 500:
            raise ProviderRefused("token", f"the code was refused with {status}")
        if status != 200 or not isinstance(said, dict):
            raise ProviderAway(f"the code was answered with {status}")
        return said.get("id_token")

    async def _call(
        self, method: str, address: str, form: Mapping[str, str] | None = None, auth: httpx.Auth | None = None
    ) -> tuple[int, Any]:
        """Ask the very address that was checked; follow no redirect, heed no proxy, read no more than `MOST_BYTES`."""
        url = httpx.URL(address)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            there = await resolve(url.host, port, allow_private=self.provider.allow_private)
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=self.provider.ca_file or None)
            async with (
                httpx.AsyncClient(verify=self._tls, trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
                client.stream(
                    method,
                    url.copy_with(host=there),
                    data=form,
                    auth=auth,
                    headers=_HEADERS | {"host": url.netloc.decode()},
                    extensions={"sni_hostname": url.host},
                ) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise ProviderAway("its answer is too large")
            said = msgspec.json.decode(bytes(body)) if answer.is_success else None
        except (Failed, Rejected, httpx.HTTPError, OSError) as error:
            raise ProviderAway(f"{type(error).__name__}: {error}"[:200]) from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ProviderAway("its answer is not JSON") from error
        return answer.status_code, said


@contextlib.asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    """Give up after `SECONDS`."""
    try:
        async with asyncio.timeout(SECONDS):
            yield
    except TimeoutError as late:
        raise ProviderAway(f"no answer within {SECONDS:g} s") from late


def _with(address: str, asked: Mapping[str, str]) -> str:
    """Put parameters behind an address, which may have some."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
