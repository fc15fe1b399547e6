"""The one place from which the desk asks web servers that somebody named (reach.py says which of them it asks).

HTTPS only, except from servers that the operator allows; no redirect is followed, no proxy of the environment is used,
and nothing costs more than its bytes and seconds.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tierdesk.core import reach
from tierdesk.core.reach import OffLimits

PORTS = {443}
TIMEOUT_S = 10
MOST_BYTES = 256 * 1024

_PRINTABLE = re.compile(r"[!-~]+")


class NoAnswer(OSError):
    """The server could not be asked, or what it said is no answer; the text is for an administrator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The object that the body is. Raises NoAnswer."""
        try:
            told = json.loads(self.body)
        except ValueError as error:
            raise NoAnswer(f"The server answers {self.status} with something that is no JSON.") from error
        if not isinstance(told, dict):
            raise NoAnswer(f"The server answers {self.status} with JSON that is no object.")
        return told


class UnableToFetch(OSError):
    """It was not fetched. The message is for a stranger: it tells nothing of what stands behind the address."""


def get(url: str, *, hosts: re.Pattern[str]) -> bytes:
    """What stands at an address that a stranger named, on a host that `hosts` matches wholly. Raises UnableToFetch."""
    parts = urlsplit(url)
    usual = parts.scheme == "https" and parts.port in (None, *PORTS)
    if not usual or not hosts.fullmatch(parts.hostname or "") or not _PRINTABLE.fullmatch(url):
        raise UnableToFetch("the address is not one that may be fetched.")
    try:
        answer = ask("GET", url)
    except OffLimits as refusal:
        raise UnableToFetch("the address is not one that may be fetched.") from refusal
    except NoAnswer as trouble:
        raise UnableToFetch("it does not answer.") from trouble
    if answer.status != 200:
        raise UnableToFetch("it does not answer as it should.")
    return answer.body


def post_form(url: str, fields: Mapping[str, str]) -> Answer:
    """Send a form and return the answer, whatever its status. Raises NoAnswer or OffLimits."""
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return ask("POST", url, body=urlencode(fields).encode(), headers=kind)


def ask(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    most: int = MOST_BYTES,
) -> Answer:
    """Ask a server that somebody named; its answer, whatever its status. Raises NoAnswer or OffLimits.

    `most`: the octets that an answer may have.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise OffLimits(f"“{url[:80]}” is no web address that can be asked.") from error
    is_plain = _PRINTABLE.fullmatch(url) and not parts.username and not parts.fragment
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_plain:
        raise OffLimits(f"“{url[:80]}” is no web address that can be asked.")
    if parts.scheme == "http" and not reach.is_allowed(parts.hostname, port):
        raise OffLimits("Only https:// addresses are asked.")
    target = f"{parts.path or '/'}?{parts.query}".rstrip("?")
    request = _Request(method, target, body, headers or {}, most)
    try:
        return _asked(parts.scheme == "https", parts.hostname, port, request)
    except (OffLimits, NoAnswer):
        raise
    except TimeoutError as error:
        raise NoAnswer(f"{parts.hostname} does not answer in time.") from error
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(
            f"The certificate of {parts.hostname} is not trusted: {error.verify_message}."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{parts.hostname} could not be asked: {type(error).__name__}.") from error


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]
    most: int


def _asked(secure: bool, host: str, port: int, request: _Request) -> Answer:
    """Over a connection to the very address that was looked at; the certificate is held against the name."""
    until = time.monotonic() + TIMEOUT_S
    line = reach.call(host, port, ports=PORTS, timeout=TIMEOUT_S)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        with _hung_up_at(until, line):
            return _heard(connection, line, secure, host, until, request)
    finally:
        connection.close()
        line.close()


@contextmanager
def _hung_up_at(until: float, line: socket.socket) -> Iterator[None]:
    """A server that says its head byte by byte, or never ends its greeting, is cut off as well: each byte would make
    the socket wait anew. What was heard by then is no answer. Raises TimeoutError.
    """
    held = line.dup()  # encryption takes the other one over
    timer = threading.Timer(max(0, until - time.monotonic()), _hang_up, [held])
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= until:
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        timer.join()
        held.close()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # they did
        line.shutdown(socket.SHUT_RDWR)


def _heard(
    connection: http.client.HTTPConnection,
    line: socket.socket,
    secure: bool,
    host: str,
    until: float,
    request: _Request,
) -> Answer:
    connection.sock = _secured(line, host) if secure else line
    headers = {"User-Agent": "tierdesk", "Connection": "close", **request.headers}
    connection.request(request.method, request.target, request.body, headers)
    said = connection.getresponse()
    told = {name.lower(): value for name, value in said.getheaders()}
    return Answer(said.status, _read(said, until, request.most), told)


def _secured(line: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(line, server_hostname=host)


def _read(said: http.client.HTTPResponse, until: float, most: int) -> bytes:
    """What comes, bit by bit: a server that sends one byte a second is cut off as well."""
    body = b""
    while piece := said.read1(65536):
        body += piece
        if len(body) > most:
            raise NoAnswer("The answer is too long.")
        if time.monotonic() > until:
            raise TimeoutError
    if time.monotonic() >= until:
        raise TimeoutError  # we hung up, which looks like its end
    return body
