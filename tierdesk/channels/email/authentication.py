"""How far the sender of a mail is proven, from what our own mail server wrote on it (RFC 8601, 7489).

Anyone can write an `Authentication-Results` header. Ours is told apart by its authserv-id and by its place:
servers put their lines on top, so what arrived with the mail lies below our server's own `Received` line.
Whoever runs the server must also let it strip foreign headers with our authserv-id; this page then is the
second lock.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from tierdesk.channels.email.message import Mail

_METHOD = re.compile(r"^\s*([a-z-]+)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(header\.(?:d|i|from)|smtp\.mailfrom)\s*=\s*\"?([^\s;\"()]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")


class Trust(StrEnum):
    """Even `verified` only says that the domain sent it, never that a person did."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is one sentence for the agent who sees the badge."""

    trust: Trust
    reason: str


def judge(mail: Mail, *, authserv_id: str, received_above: int = 1) -> Verdict:
    """Whether the From address is proven. At most `received_above` Received lines may stand above our result.

    Postfix milters insert below the line of the receiving server (1), others above it (0); each further hop
    inside the house adds one. An empty `authserv_id` trusts nobody.
    """
    if not mail.from_address:
        return Verdict(Trust.UNVERIFIED, "The mail names no single sender.")
    results = _our_results(mail, authserv_id, received_above)
    if not results:
        return Verdict(Trust.UNVERIFIED, "Our mail server says nothing about the sender.")
    domain = mail.from_address.rpartition("@")[2]
    if any(method == "dmarc" and result == "fail" for method, result, _ in results):
        return Verdict(Trust.FAILED, f"DMARC failed for {domain}.")
    for method, result, properties in results:
        if result == "pass" and method == "dmarc" and _aligned(properties.get("header.from", ""), domain):
            return Verdict(Trust.VERIFIED, f"DMARC passed for {domain}.")
        signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
        if result == "pass" and method == "dkim" and _aligned(signer, domain):
            return Verdict(Trust.VERIFIED, f"DKIM passed, signed by {signer}.")
    return Verdict(Trust.UNVERIFIED, f"No signature of {domain} was found.")


def _our_results(mail: Mail, authserv_id: str, received_above: int) -> list[tuple[str, str, dict[str, str]]]:
    found: list[tuple[str, str, dict[str, str]]] = []
    hops = 0
    for name, value in mail.headers:
        hops += name == "Received"
        if hops > received_above:
            break
        if name == "Authentication-Results" and authserv_id:
            writer, _, results = _COMMENT.sub(" ", value).partition(";")
            if writer.lower().split()[:1] == [authserv_id.lower()]:
                found.extend(_results(results))
    return found


def _results(text: str) -> list[tuple[str, str, dict[str, str]]]:
    found: list[tuple[str, str, dict[str, str]]] = []
    for clause in text.split(";"):
        if method := _METHOD.match(clause):
            properties = {name.lower(): value.lower() for name, value in _PROPERTY.findall(clause)}
            found.append((method[1].lower(), method[2].lower(), properties))
    return found


def _aligned(signer: str, domain: str) -> bool:
    """The same domain, or the signer a parent of it. A parent with a single label is a registry, not a
    sender.

    Stricter than DMARC's relaxed alignment, which needs the public suffix list; a sibling domain is not
    aligned.
    """
    signer, domain = signer.rstrip("."), domain.rstrip(".")
    return "." in signer and (signer == domain or domain.endswith("." + signer))
