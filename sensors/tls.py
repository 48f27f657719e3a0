"""TLS towards an MQTT broker: the certificates to trust and to show, and a sentence for whatever goes wrong."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import msgspec


class TlsError(OSError):
    """Raised when the files for TLS cannot be used; says which and why."""


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Name the files for TLS (PEM). Without `ca_file` the system's certificates are trusted."""

    ca_file: str = ""
    cert_file: str = ""  # our own certificate, with `key_file`: for brokers that ask for one
    key_file: str = ""


def context(tls: Tls) -> ssl.SSLContext:
    """Make a client's context, which checks the server's certificate and name. Reads the files anew at each call.

    Raise `TlsError` naming the file that cannot be used.
    """
    for file in (tls.ca_file, tls.cert_file, tls.key_file):
        if file:
            _require_readable(file)
    if bool(tls.cert_file) != bool(tls.key_file):
        raise TlsError("a client certificate needs both a certificate file and a key file")
    try:
        made = ssl.create_default_context(cafile=tls.ca_file or None)
    except ssl.SSLError as error:
        raise TlsError(f"{tls.ca_file} holds no certificates to trust (PEM)") from error
    if tls.cert_file:
        try:
            present(made, tls.cert_file, tls.key_file)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise TlsError(f"the key in {tls.key_file} does not belong to {tls.cert_file}") from error
            raise TlsError(f"{tls.cert_file} and {tls.key_file} are no certificate and open key (PEM)") from error
    return made


def present(made: ssl.SSLContext, cert_file: str, key_file: str) -> None:
    """Have a context show a certificate, read anew. Raise `ssl.SSLError`, for an encrypted key too."""
    made.load_cert_chain(cert_file, key_file, password=_no_password)  # else it would ask at a terminal nobody watches


def _require_readable(file: str) -> None:
    try:
        with Path(file).open("rb"):
            pass
    except OSError as error:
        raise TlsError(f"cannot read {file}: {error.strerror}") from error


def _no_password() -> bytes:
    return b""


_VERIFY = {
    9: "its certificate is not valid yet: compare the clocks of both machines",
    10: "its certificate has expired",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
    **dict.fromkeys(
        (18, 19, 20, 21), "its certificate is from an authority that is not trusted here; is it the right CA?"
    ),
}
"""What OpenSSL's verification codes mean (x509_vfy.h)."""

_REASONS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port",
    "PACKET_LENGTH_TOO_LONG": "it does not speak TLS on this port",
    "RECORD_LAYER_FAILURE": "it does not speak TLS on this port",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our client certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "it says that our client certificate was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our client certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it asks for a client certificate, or for another kind of TLS",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not trust the authority of our client certificate",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no version of TLS that is allowed here",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a client certificate",
}


ENDED = "it ended the connection"
HUNG_UP = "it hung up before it answered; TLS may be on at one side only, or it speaks another version of MQTT"


def refusal(reason: str) -> str:
    """Say in one clause why a broker refuses a connection, by MQTT's name of the reason."""
    if reason in ("Not authorized", "Bad user name or password"):
        return f"wrong user name or password, or neither given ({reason})"
    if reason == "Unsupported protocol version":
        return "it does not speak this version of MQTT"
    return reason


def sentence(error: BaseException) -> str:
    """Say in one clause, about the broker, why a connection came to nothing."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, f"its certificate cannot be verified: {error.verify_message}")
    if isinstance(error, ssl.SSLEOFError):
        return "it ended the TLS connection without a word: it may want a client certificate, or no TLS"
    if isinstance(error, ssl.SSLError):
        return _REASONS.get(error.reason or "", f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}")
    if isinstance(error, TlsError):
        return str(error)
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return ENDED
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
