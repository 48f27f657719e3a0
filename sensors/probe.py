"""Try an MQTT broker once: does it take the connection, the certificates and the login?"""

from __future__ import annotations

import time
from secrets import token_hex
from typing import Any

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from sensors import tls as words
from sensors.reader import Reader
from sensors.tls import Tls


def probe(
    host: str,
    port: int,
    *,
    username: str = "",
    password: str | None = None,
    tls: Tls | None = None,
    version: str = "3.1.1",
    seconds: float = 5.0,
) -> str:
    """Connect and leave. Return why that came to nothing, in one clause about the broker; empty when it did not."""
    client = Reader({}, client_id=f"foreshock-probe-{token_hex(4)}", version=5 if version == "5" else 4, kept=False)
    answer: list[str] = []

    def answered(_client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        answer.append(words.refusal(str(reason)) if reason.is_failure else "")

    client.on_connect = answered
    client.connect_timeout = seconds
    if username:
        client.username_pw_set(username, password)
    try:
        if tls is not None:
            client.use_tls(words.context(tls))
        client.connect(host, port, keepalive=max(5, int(seconds)))
        until = time.monotonic() + seconds
        while not answer and time.monotonic() < until:
            if client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
    except (OSError, ValueError) as error:
        client.trouble = error
    finally:
        silent = client.socket() is not None
        client.disconnect()
        client.loop_misc()
    if answer:
        return answer[0]
    if client.trouble:
        said = words.sentence(client.trouble)
        return words.HUNG_UP if said == words.ENDED else said
    return "no answer in time" if silent else words.HUNG_UP
