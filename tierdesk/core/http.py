"""Getting what stands at an address of the web that somebody else named: from expected hosts, and no others.

Which servers may be called at all is decided in reach.py. HTTPS only; no redirect is followed, no proxy of the
environment is used, and nothing costs more than its bytes and seconds.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from urllib.parse import urlsplit

from tierdesk.core import reach

PORT = 443
LARGEST = 64 * 1024
SECONDS = 5.0
CHUNK = 16 * 1024
TARGET = re.compile(r"[!-~]+")


class UnableToFetch(OSError):
    """It was not fetched. The message is a sentence that tells nothing of what stands behind the address."""


def fetch(url: str, *, hosts: re.Pattern[str]) -> bytes:
    """What stands at `url`: https, the usual port, a host that `hosts` matches as a whole. Raises UnableToFetch."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    usual = parts.scheme == "https" and parts.port in (None, PORT) and not parts.username
    if not usual or not hosts.fullmatch(host) or not TARGET.fullmatch(target):
        raise UnableToFetch("the address is not one that may be fetched.")
    try:
        return _fetched(host, target)
    except UnableToFetch:
        raise
    except reach.OffLimits as fault:
        raise UnableToFetch("the address is not one that may be fetched.") from fault
    except (OSError, http.client.HTTPException) as fault:
        raise UnableToFetch("it does not answer.") from fault


def _fetched(host: str, target: str) -> bytes:
    """Over a connection to the very address that was looked at; the certificate is held against the name."""
    connection = http.client.HTTPConnection(host, PORT, timeout=SECONDS)
    line = reach.call(host, PORT, ports={PORT}, timeout=SECONDS)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        connection.request("GET", target, headers={"User-Agent": "tierdesk", "Connection": "close"})
        return _read(connection.getresponse())
    finally:
        connection.close()
        line.close()


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
