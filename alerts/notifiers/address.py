"""Which addresses a target may have: private ones are refused unless its settings allow them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from alerts.notifiers.notice import Failed, Rejected

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether an IP address is a public one, also when it hides an IPv4 address in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        hidden = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if hidden is not None:
            return is_public(str(hidden))
    return ip.is_global and not ip.is_multicast


def is_address(host: str) -> bool:
    """Tell whether a host is an address, not a name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """Find the address to connect to; refuse if any that the name has is not allowed.

    Connect to what it returns, not to the name: a name service may give another answer the next moment. Raise `Failed`
    for a name, which may have another address at the next attempt, `Rejected` for an address, which stays what it is.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                if is_address(host):
                    raise Rejected(f"{address} is not a public address (allow_private permits it)")
                raise Failed(f"{host} is {address}, not a public address (allow_private permits it)")
    return addresses[0]
