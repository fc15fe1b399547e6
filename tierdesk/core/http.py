"""The one place that fetches from the web: only hosts that the caller names, and only in the open internet.

An address that somebody else chose may point inwards (SSRF). So the name is resolved once, every address that it has
must be a public one, and the connection is made to the very address that was checked. No redirects, no proxies of the
environment, bounded in size and time.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from urllib.parse import urlsplit

LARGEST = 64 * 1024
SECONDS = 5.0
CHUNK = 16 * 1024


class UnableToFetch(OSError):
    """It was not fetched. The message is a sentence that tells nothing of what stands behind the address."""


def fetch(url: str, *, hosts: re.Pattern[str]) -> bytes:
    """What stands at `url`: https, port 443, a host that `hosts` matches whole. Raises UnableToFetch."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if (
        parts.scheme != "https"
        or parts.port not in (None, 443)
        or parts.username
        or not hosts.fullmatch(host)
    ):
        raise UnableToFetch("the address is not one that may be fetched.")
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if not path.isascii() or not path.isprintable() or " " in path:
        raise UnableToFetch("the address is not one that may be fetched.")
    connection = Pinned(host, _public_address(host), timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "tierdesk"})
        return _read(connection.getresponse())
    except (OSError, http.client.HTTPException) as fault:
        raise fault if isinstance(fault, UnableToFetch) else UnableToFetch("it does not answer.") from fault
    finally:
        connection.close()


class Pinned(http.client.HTTPSConnection):
    """A connection to one address, whatever the name says by now; the certificate is still held against the name."""

    def __init__(self, host: str, address: str, *, timeout: float) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, 443, timeout=timeout, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _public_address(host: str) -> str:
    """The first address of `host`. Raises UnableToFetch unless all of them lie in the open internet."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise UnableToFetch("its name is not known.") from fault
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise UnableToFetch("the address is not one that may be fetched.")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address lies in the open internet and wraps none (NAT64, 6to4, Teredo, mapped) that does not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_open(address)
    if address in NAT64:
        return _is_open(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    return _is_open(wrapped or address) and int(address) >> 32 != 0 and address not in SITE_LOCAL


NAT64 = ipaddress.ip_network("64:ff9b::/96")
SITE_LOCAL = ipaddress.ip_network("fec0::/10")
PROTOCOL_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")


def _is_open(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and address not in PROTOCOL_ASSIGNMENTS


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body of a plain 200; a redirect is no answer."""
    if response.status != 200:
        raise UnableToFetch("it does not answer as it should.")
    deadline = time.monotonic() + SECONDS
    body = b""
    while chunk := response.read1(CHUNK):
        body += chunk
        if len(body) > LARGEST or time.monotonic() > deadline:
            raise UnableToFetch("it answers with too much, or too slowly.")
    return body
