"""Which servers the desk calls when somebody names one: those on the open internet, and those that its operator allows.

Whoever names a host makes this machine knock at it, from inside the house's own network. So every address that the
name has must be a public one, and the connection goes to an address that was looked at, not to what the name says a
moment later. TIERDESK_PRIVATE_HOSTS lists what may be called all the same: `host`, or `host:port` for another port.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

_SETTING = "TIERDESK_PRIVATE_HOSTS"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?|[0-9A-Fa-f:.]{2,45}")

# What Python's ipaddress calls global, or wraps an address that is not.
_NEVER = [ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "::/96")]
_NAT64 = ip_network("64:ff9b::/96")


MOST_TRIED = 3
"""Addresses of one name; all together they are waited for as long as one."""


class OffLimits(ValueError):
    """The desk does not call this; the text says why and who can allow it."""


def call(
    host: str, port: int, *, ports: Collection[int], timeout: float, in_clear: bool = False
) -> socket.socket:
    """A connection to a server that somebody named. Raises OffLimits before it calls, OSError if nobody answers.

    `ports`: what a server of this kind listens at. `in_clear`: nothing will encrypt what is said, passwords among it;
    only the operator may allow that.
    """
    found = addresses(host, port, ports=ports)
    if in_clear and not is_allowed(host, port):
        raise OffLimits(
            f"{host} is not called without encryption. Whoever runs the desk can allow it: {_SETTING}={host}"
        )
    trouble: OSError | None = None
    tried = found[:MOST_TRIED]
    for address in tried:
        try:
            line = socket.create_connection((address, port), timeout / len(tried))
        except OSError as refusal:
            trouble = refusal
        else:
            line.settimeout(timeout)
            return line
    raise trouble or OSError(f"{host} has no address")


def addresses(host: str, port: int, *, ports: Collection[int]) -> list[str]:
    """The addresses behind a name, all of them fit to be called. Raises OffLimits or, for an unknown name, OSError."""
    if not _NAME.fullmatch(host):
        raise OffLimits(f"“{host[:60]}” is no name of a server.")
    allowed = _allowed(host)
    if port not in {*ports, *allowed}:
        raise OffLimits(f"Port {port} is not one of {', '.join(map(str, sorted(ports)))}.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part of it is empty, or longer than 63 letters
        raise OffLimits(f"“{host[:60]}” is no name of a server.") from error
    numbers = list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))
    inside = [number for number in numbers if not is_public(number)]
    if inside and not allowed:
        raise OffLimits(
            f"{host} is inside the network ({inside[0]}). Whoever runs the desk can allow it: "
            f"{_SETTING}={host}"
        )
    return numbers


def is_public(address: str) -> bool:
    """Whether everybody on the internet means the same machine by it. An IPv4 address inside an IPv6 one counts."""
    ip = ip_address(address.partition("%")[0])
    if inner := _wrapped(ip):
        return all(is_public(str(one)) for one in inner)
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NEVER)


def _wrapped(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if not isinstance(ip, IPv6Address):
        return []
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return [one for one in inner if one is not None]


def is_allowed(host: str, port: int) -> bool:
    """Whether the operator vouches for this server, so that it may be spoken to without encryption."""
    return bool(_allowed(host) & {0, port})


def _allowed(host: str) -> set[int]:
    """The ports that the operator allows at this host; 0 stands for the usual ones."""
    ports = set()
    for entry in settings.PRIVATE_HOSTS:
        name, colon, port = entry.rpartition(":")
        if name.lower() == host.lower() and colon and port.isdecimal():
            ports.add(int(port))
        elif entry.lower() == host.lower():
            ports.add(0)
    return ports
