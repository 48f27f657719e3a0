"""Signing in by a provider that is really asked, and by one that lies."""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import msgspec
import pyotp
import pytest
import trustme
from joserfc.jwk import ECKey
from starlette.responses import RedirectResponse, Response
from starlette.testclient import TestClient

from alerts.console.accounts import audit_break, external, find_user, list_audit, list_users, set_password
from alerts.console.oidc.client import Client
from alerts.console.oidc.file import Grant, Second, callback
from alerts.console.oidc.file import Provider as Rules
from alerts.console.oidc.token import LOGOUT
from sensors.site import Text
from tests.alerts.console.conftest import PASSWORD, Configure, Desktop
from tests.alerts.console.oidc.provider import CLIENT, SECRET, Provider, serving, unsigned

HOME = "http://127.0.0.1:8700"
IN = "/#/login"
GRANTS = (
    Grant(group="chiefs", roles=("administrator",)),
    Grant(group="slope", roles=("duty",), places=("slope-1",)),
    Grant(group="duty", roles=("duty", "dispatcher")),
    Grant(group="team", roles=("field",), unit="team"),
    Grant(group="gone", roles=("viewer",), places=("a-place-that-was",)),
)


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    with serving() as provider:
        yield provider


@pytest.fixture
def provider(served: Provider) -> Provider:
    served.calm()
    return served


def rules_of(provider: Provider, **changes: Any) -> Rules:
    made = Rules(
        name=Text(zh="统一认证", en="City sign-in"),
        issuer=provider.issuer,
        client=CLIENT,
        grants=GRANTS,
        algorithms=("ES256", "RS256"),
        second=Second(amr=("otp",)),
        allow_private=True,
    )
    return msgspec.structs.replace(made, **changes)


Open = Callable[..., Desktop]


@pytest.fixture
def opened(configure: Configure, provider: Provider) -> Open:
    def make(second_step: bool = False, **changes: Any) -> Desktop:
        client = Client(rules_of(provider, **changes), SECRET, callback(HOME), HOME)
        return Desktop(configure(provider=client, second_step=second_step))

    return make


@pytest.fixture
def desktop(opened: Open) -> Desktop:
    return opened()


def go(client: TestClient, path: str) -> str:
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def there_and_back(client: TestClient) -> str:
    """Begin, be sent to the provider, and return the address by which it sends the browser back."""
    address = httpx.get(go(client, "/api/v1/oidc/begin"), trust_env=False).headers["location"]
    assert address.startswith(f"{HOME}/api/v1/oidc/callback?")
    return address.removeprefix(HOME)


def sign_in(client: TestClient) -> str:
    """Sign in; return where that leads: home, or to a problem."""
    return go(client, there_and_back(client))


def why(desktop: Desktop) -> str:
    return str(list_audit(desktop.console.accounts, action="session.refused")[0].detail["why"])


def test_who_the_provider_knows_gets_an_account_with_what_their_group_is_granted(
    desktop: Desktop, client: TestClient, provider: Provider
) -> None:
    assert client.get("/api/v1/sign-in").json() == {"provider": {"zh": "统一认证", "en": "City sign-in"}}
    asked = parse_qs(urlsplit(go(client, "/api/v1/oidc/begin")).query)
    assert (asked["scope"], asked["code_challenge_method"]) == (["openid profile"], ["S256"])
    assert asked["redirect_uri"] == [callback(HOME)]
    provider.person["name"] = "李伟"
    assert sign_in(client) == IN
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["display"], me["roles"], me["external"]) == ("li.wei", "李伟", ["duty", "dispatcher"], True)
    assert client.get("/api/v1/incidents").status_code == 200
    assert client.get("/api/v1/users").status_code == 403
    begun = list_audit(desktop.console.accounts, action="session.begin")[0]
    assert (begun.target, begun.detail["provider"]) == ("li.wei", provider.issuer)
    assert list_audit(desktop.console.accounts, action="user.add")[0].actor == "provider:foreshock"
    provider.person |= {"preferred_username": "another", "groups": ["slope", "duty"]}
    assert sign_in(client) == IN, "known by the subject: the account keeps its name, and has what is granted now"
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["roles"], me["places"]) == ("li.wei", ["duty"], ["slope-1"]), "the first grant, no union"
    headers = {"X-Foreshock-CSRF": me["csrf"]}
    assert client.delete("/api/v1/session", headers=headers).status_code == 204
    assert client.get("/api/v1/me").status_code == 401
    out = urlsplit(go(client, "/api/v1/oidc/end"))
    assert out.path == "/logout" and parse_qs(out.query)["post_logout_redirect_uri"] == [HOME]
    assert audit_break(desktop.console.accounts) is None


Claims = dict[str, Any]
LIES: dict[str, Callable[[Provider, Claims], Any]] = {
    "another issuer": lambda p, c: p.sign({**c, "iss": "https://evil.example"}),
    "no issuer": lambda p, c: p.sign({k: v for k, v in c.items() if k != "iss"}),
    "another audience": lambda p, c: p.sign({**c, "aud": "other"}),
    "for several": lambda p, c: p.sign({**c, "aud": [CLIENT, "other"]}),
    "asked for by another": lambda p, c: p.sign({**c, "aud": [CLIENT, "other"], "azp": "other"}),
    "expired": lambda p, c: p.sign({**c, "exp": c["iat"] - 61}),
    "without an end": lambda p, c: p.sign({k: v for k, v in c.items() if k != "exp"}),
    "an end that is no number": lambda p, c: p.sign({**c, "exp": "never"}),
    "made in the future": lambda p, c: p.sign({**c, "iat": c["iat"] + 600}),
    "made long ago": lambda p, c: p.sign({**c, "iat": c["iat"] - 7200}),
    "not yet": lambda p, c: p.sign({**c, "nbf": c["iat"] + 600}),
    "another nonce": lambda p, c: p.sign({**c, "nonce": "that of another sign-in"}),
    "without a nonce": lambda p, c: p.sign({k: v for k, v in c.items() if k != "nonce"}),
    "of nobody": lambda p, c: p.sign({**c, "sub": ""}),
    "of a number": lambda p, c: p.sign({**c, "sub": 1}),
    "unsigned": lambda p, c: unsigned(c, {"alg": "none"}),
    "unsigned with a key": lambda p, c: unsigned(c, {"alg": "none", "kid": p.keys[-1].kid}),
    "signed with the public key": lambda p, c: p.confused(c),
    "signed by a stranger": lambda p, c: p.sign(c, {"kid": p.keys[-1].kid}, ECKey.generate_key("P-256")),
    "by a key of nowhere": lambda p, c: p.sign(c, {"kid": "nowhere"}, ECKey.generate_key("P-256")),
    "bringing its own key": lambda p, c: _own_key(p, c),
    "changed": lambda p, c: _changed(p.sign(c)),
    "no token": lambda p, c: "x.y.z",
    "not even text": lambda p, c: {"sub": "1"},
    "too long": lambda p, c: p.sign({**c, "filler": "x" * 40_000}),
    "nothing": lambda p, c: None,
}


def _own_key(provider: Provider, claims: Claims) -> str:
    key = ECKey.generate_key("P-256")
    return provider.sign(claims, {"jwk": key.as_dict(private=False)}, key)


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-6]}{'A' * 6}.{signature}"


def test_no_token_that_lies_is_believed(opened: Open, provider: Provider) -> None:
    desktop = opened()
    with desktop.client() as client:
        for name, lie in LIES.items():
            desktop.console.throttle._limiter.storage.reset()
            provider.forge = lambda claims, lie=lie: lie(provider, claims)
            assert sign_in(client) == "/#/login?problem=token", name
            assert client.get("/api/v1/me").status_code == 401, name
            assert "eyJ" not in why(desktop), name
        provider.forge = None
        provider.claims = {"exp": int(time.time()) - 30, "nbf": int(time.time()) + 30}
        assert sign_in(client) == IN, "clocks may differ by a minute"
    assert [user.name for user in list_users(desktop.console.accounts)] == ["li.wei"]


def test_a_sign_in_comes_back_once_to_the_browser_that_began_it(
    desktop: Desktop, client: TestClient, provider: Provider
) -> None:
    back = there_and_back(client)
    with desktop.client() as other:
        assert go(other, back) == "/#/login?problem=state", "stolen: this browser began nothing"
        there_and_back(other)
        assert go(other, back) == "/#/login?problem=state", "swapped: it began another one"
    held = client.cookies["foreshock_sign_in"]
    assert go(client, back) == IN
    assert "foreshock_sign_in" not in client.cookies
    client.cookies.set("foreshock_sign_in", held, domain="127.0.0.1", path="/api/v1/oidc")
    assert go(client, back) == "/#/login?problem=state", "played again with a cookie that was kept"
    client.cookies.set("foreshock_sign_in", held[:-2] + "xx", domain="127.0.0.1", path="/api/v1/oidc")
    assert go(client, back) == "/#/login?problem=state", "forged"
    assert provider.asked.count("token") == 1, "no code was spent on any of them"


def test_who_sent_it_is_held_against_who_was_asked(client: TestClient, provider: Provider) -> None:
    for change in (
        lambda back: back.replace("&iss=", "&iss=https%3A%2F%2Fevil.example%2F"),
        lambda b: b.split("&iss")[0],
    ):
        assert go(client, change(there_and_back(client))) == "/#/login?problem=token"
    assert "token" not in provider.asked, "the code of one is never given to another"


def test_it_leads_nowhere_but_home(client: TestClient) -> None:
    for more in ("&next=https://evil.example", "&redirect_uri=//evil.example", "&state=x"):
        assert go(client, there_and_back(client) + more) in (IN, "/#/login?problem=state")
    there = go(client, "/api/v1/oidc/begin?redirect_uri=https://evil.example&next=//evil.example")
    assert "evil" not in there
    denied = there_and_back(client).replace("code=", "error=access_denied&error_description=%3Cscript%3E&x=")
    assert go(client, denied) == "/#/login?problem=denied", "nothing of it is repeated"


def test_keys_that_change_are_followed_and_strangers_do_not_make_us_ask(
    opened: Open, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = opened()
    now = [time.time()]
    assert desktop.config.provider is not None
    monkeypatch.setattr(desktop.config.provider, "_clock", lambda: now[0])
    first = provider.keys
    with desktop.client() as client:
        assert sign_in(client) == IN
        provider.keys = [*first, ECKey.generate_key("P-256")]
        now[0] += 31
        assert sign_in(client) == IN, "a token by a new key makes us look for it"
        assert provider.asked.count("jwks") == 2
        stranger = ECKey.generate_key("P-256")
        provider.forge = lambda claims: provider.sign(claims, {"kid": "strange"}, stranger)
        for _ in range(3):
            assert sign_in(client) == "/#/login?problem=token"
        assert provider.asked.count("jwks") == 2, "not more often than every half minute"
        provider.forge = lambda claims: provider.sign(claims, None, first[0])
        provider.keys = provider.keys[1:]
        now[0] += 3601
        assert sign_in(client) == "/#/login?problem=token", "a key that was withdrawn is one no more"


def test_what_no_group_grants_is_refused_and_what_was_open_ends(
    desktop: Desktop, client: TestClient, provider: Provider
) -> None:
    assert sign_in(client) == IN
    with desktop.client() as other:
        provider.person["groups"] = ["others", 7, None]
        assert sign_in(other) == "/#/login?problem=group"
    assert client.get("/api/v1/me").status_code == 401, "what the account had open has ended"
    for groups in (None, "gone", ["gone"], {"duty": True}):
        provider.person["groups"] = groups
        assert sign_in(client) == "/#/login?problem=group", groups
    assert list_audit(desktop.console.accounts, action="session.end_all")[0].actor == "provider:foreshock"


def test_no_name_opens_an_account_of_another(desktop: Desktop, client: TestClient, provider: Provider) -> None:
    desktop.user("administrator", name="li.wei")
    assert sign_in(client) == "/#/login?problem=account", "an account with a password keeps its name"
    provider.person["preferred_username"] = "a b<script>"
    assert sign_in(client) == "/#/login?problem=account"
    provider.person["preferred_username"] = "wang"
    assert sign_in(client) == IN
    provider.person["sub"] = "2"
    assert sign_in(client) == "/#/login?problem=account", "nor does another subject get in by its name"
    with pytest.raises(ValueError, match="no password here"):
        set_password(desktop.console.accounts, "wang", PASSWORD)
    with desktop.client() as other:
        for password in ("!", "", PASSWORD):
            answer = other.post("/api/v1/session", json={"name": "wang", "password": password})
            assert answer.status_code == 401, password
    headers = desktop.token("administrator")
    changed = client.patch("/api/v1/users/wang", json={"roles": ["administrator"]}, headers=headers)
    assert (changed.status_code, changed.json()["error"]["code"]) == (409, "external")
    assert client.patch("/api/v1/users/wang", json={"language": "en"}, headers=headers).status_code == 200


def test_first_comers_are_held_to_the_policy(opened: Open, provider: Provider) -> None:
    desktop = opened(first="refuse")
    with desktop.client() as client:
        assert sign_in(client) == "/#/login?problem=account"
        assert list_users(desktop.console.accounts) == []
    desktop = opened(first="approve")
    with desktop.client() as client:
        assert sign_in(client) == "/#/login?problem=disabled"
        headers = desktop.token("administrator")
        assert client.patch("/api/v1/users/li.wei", json={"disabled": False}, headers=headers).status_code == 200
        assert sign_in(client) == IN
    desktop = opened(first="refuse")
    with desktop.client() as client:
        assert sign_in(client) == IN, "who is known comes in"


def test_an_administrator_gives_a_second_step_to_the_provider_or_here(opened: Open, provider: Provider) -> None:
    desktop = opened(second_step=True)
    provider.person["groups"] = ["chiefs"]
    with desktop.client() as client:
        assert sign_in(client) == IN
        assert client.get("/api/v1/users").json()["error"]["code"] == "second_needed"
        provider.claims = {"amr": ["pwd", "otp"]}
        assert sign_in(client) == IN
        assert client.get("/api/v1/users").status_code == 200
        provider.claims = {"amr": "otp", "acr": ["otp"]}  # not as they are written
        assert sign_in(client) == IN
        headers = {"X-Foreshock-CSRF": client.get("/api/v1/me").json()["csrf"]}
        assert client.get("/api/v1/users").status_code == 403
        made = client.post("/api/v1/me/second-step", json={"password": ""}, headers=headers).json()
        totp = pyotp.TOTP(made["secret"])
        assert client.put("/api/v1/me/second-step", json={"code": totp.now()}, headers=headers).status_code == 204
        assert client.get("/api/v1/users").status_code == 200
        assert sign_in(client) == IN
        me = client.get("/api/v1/me").json()
        assert me["second"] and me["second_needed"], "each session gives a code"
        headers = {"X-Foreshock-CSRF": me["csrf"]}
        assert client.get("/api/v1/users").status_code == 403
        wrong = client.post("/api/v1/me/second-step/code", json={"code": "000000"}, headers=headers)
        assert wrong.json()["error"]["code"] == "wrong_code"
        gone = client.post("/api/v1/me/second-step/remove", json={"password": ""}, headers=headers)
        assert gone.status_code in (403, 409), "nobody takes it away who has not given it"
        code = {"code": totp.at(time.time() + 30)}
        assert client.post("/api/v1/me/second-step/code", json=code, headers=headers).status_code == 204
        assert client.get("/api/v1/users").status_code == 200


def test_a_provider_that_is_away_or_answers_nonsense_leaves_the_way_by_password(
    opened: Open, provider: Provider
) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("away", {"issuer": "http://127.0.0.1:9"}),
        ("away", {"issuer": f"{provider.issuer}/other"}),
        ("away", {"allow_private": False, "issuer": provider.issuer.replace("http:", "https:")}),
    ]
    for problem, changes in cases:
        with opened(**changes).client() as client:
            assert go(client, "/api/v1/oidc/begin") == f"/#/login?problem={problem}", changes
            assert go(client, "/api/v1/oidc/end") == "/#/login"
    for described in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": 7},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"filler": "x" * 300_000},
    ):
        provider.described = described
        with opened().client() as client:
            assert go(client, "/api/v1/oidc/begin") == "/#/login?problem=away", described
    provider.calm()
    desktop = opened()
    with desktop.client() as client:
        for answer, problem in (
            (RedirectResponse("http://127.0.0.1:9/elsewhere", 302), "away"),
            (Response(b"{", media_type="application/json"), "away"),
            (Response(b"", 503), "away"),
            (Response(b"[]", media_type="application/json"), "away"),
            (Response(b"{}", 400), "token"),
        ):
            provider.answer = answer
            assert sign_in(client) == f"/#/login?problem={problem}"
        desktop.log_in(client, "duty")
        assert client.get("/api/v1/me").json()["external"] is False
    assert find_user(desktop.console.accounts, "li.wei") is None


def test_a_provider_is_believed_by_the_authority_that_the_file_names_and_no_other(
    configure: Configure, tmp_path: Path
) -> None:
    authority, other = trustme.CA(), trustme.CA()
    certificate, trusted, untrusted = (tmp_path / name for name in ("own.pem", "ca.pem", "other.pem"))
    certificate.write_bytes(authority.issue_cert("localhost").private_key_and_cert_chain_pem.bytes())
    authority.cert_pem.write_to_path(trusted)
    other.cert_pem.write_to_path(untrusted)
    with serving(str(certificate)) as provider:
        for ca, problem in ((trusted, ""), (untrusted, "away"), (None, "away")):
            rules = rules_of(provider, ca_file=str(ca or ""))
            with Desktop(configure(provider=Client(rules, SECRET, callback(HOME), HOME))).client() as client:
                led = go(client, "/api/v1/oidc/begin")
                assert led == f"/#/login?problem={problem}" if problem else led.startswith(f"{provider.issuer}/"), ca


def test_no_log_and_no_audit_has_the_clients_secret_or_what_stands_for_somebody(
    desktop: Desktop, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with desktop.client() as client:
        for answer in (None, Response(b"{", media_type="application/json"), Response(b"{}", 400)):
            provider.answer = answer
            sign_in(client)
    basic = base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode()).decode()
    told = caplog.text + repr(list_audit(desktop.console.accounts))
    assert "a sign-in was refused" in told and "away" in told, "something was told"
    assert not re.search(r"eyJ[\w-]+\.eyJ", told), "an ID token"
    for secret in (SECRET, quote_plus(SECRET), basic):
        assert secret not in told


def test_who_signs_out_at_the_provider_is_signed_out_here_once_and_by_its_word_alone(
    desktop: Desktop, client: TestClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    right = {
        "iss": provider.issuer,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "sub": "1",
        "events": {LOGOUT: {}},
    }

    def told(without: str = "", key: Any = None, **claims: Any) -> int:
        made = {name: value for name, value in {**right, **claims}.items() if name != without}
        form = {"logout_token": provider.sign(made, key=key)}
        return client.post("/api/v1/oidc/logout", data=form).status_code

    assert sign_in(client) == IN
    for lie in (
        {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": now - 600}, {"iat": now - 9000}, {"nonce": "n"},
        {"events": {}}, {"events": [LOGOUT]}, {"jti": 7}, {"sub": ""}, {"without": "sub", "sid": "s"},
        {"without": "jti"}, {"key": ECKey.generate_key("P-256")},
    ):  # fmt: skip
        assert told(**lie) == 400, lie  # type: ignore[arg-type]
    for nonsense in (b"\xff=&logout_token", b"a=1&" * 21):
        assert client.post("/api/v1/oidc/logout", content=nonsense).status_code == 400
    assert client.get("/api/v1/me").status_code == 200, "nobody believed that"
    assert told(sub="2") == 200, "nobody of here"
    assert client.get("/api/v1/me").status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr(external, "append", Mock(side_effect=OSError("the disk is full")))
        assert told(jti="2") == 500
    assert told(jti="2") == 200, "what could not be done is done when it comes again"
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(client) == IN
    assert told(jti="2") == 400 and client.get("/api/v1/me").status_code == 200, "it has come before"
    assert list_audit(desktop.console.accounts, action="session.end_all")[0].actor == f"provider:{CLIENT}"


def test_a_site_without_a_provider_has_no_such_way(configure: Configure) -> None:
    with Desktop(configure()).client() as client:
        assert client.get("/api/v1/sign-in").json() == {"provider": None}
        for path in ("begin", "callback?state=x&code=y", "end"):
            assert client.get(f"/api/v1/oidc/{path}", follow_redirects=False).status_code == 404


def test_one_address_begins_so_many_sign_ins(client: TestClient) -> None:
    answers = [client.get("/api/v1/oidc/callback?state=x", follow_redirects=False).status_code for _ in range(62)]
    assert answers.count(303) == 60 and answers[-1] == 429


def test_an_address_is_heard_no_more_that_tells_of_sign_outs_which_nobody_believes(
    desktop: Desktop, client: TestClient
) -> None:
    def told() -> int:
        return client.post("/api/v1/oidc/logout", data={"logout_token": "a.b.c"}).status_code

    assert [told() for _ in range(61)] == [400] * 60 + [429]
    desktop.console.throttle.signed_out("testclient")
    assert told() == 400
