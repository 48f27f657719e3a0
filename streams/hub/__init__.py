"""The hub: how other processes on this machine hand records to the log's owner and hear of new ones.

A unix socket in the data folder; each message is a u32 length (little endian) and msgpack (see `protocol`).
"""

from streams.hub.client import HubClient
from streams.hub.errors import HubClosedError, HubError, HubFullError, HubRefusedError
from streams.hub.producer import HubProducer
from streams.hub.protocol import RESYNC
from streams.hub.server import HubServer

__all__ = [
    "RESYNC",
    "HubClient",
    "HubClosedError",
    "HubError",
    "HubFullError",
    "HubProducer",
    "HubRefusedError",
    "HubServer",
]
