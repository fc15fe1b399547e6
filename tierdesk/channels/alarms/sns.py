"""The signature of what AWS SNS delivers, and the answer to its question whether we want it.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
A delivery names the address of the certificate that it is signed with: it is fetched only from a host of SNS itself, or
anybody could sign with a certificate of theirs, and make us fetch any address (SSRF).
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tierdesk.channels.alarms.reading import Forged, MalformedAlarm, Unreadable, words
from tierdesk.core import clock, fetch

HOSTS = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": CONFIRMATION,
    "UnsubscribeConfirmation": CONFIRMATION,
}
HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
MOST_CERTIFICATES = 100

Get = Callable[[str], bytes]


def get(url: str) -> bytes:
    """What stands at `url` of a host of SNS. Raises fetch.UnableToFetch."""
    return fetch.get(url, hosts=HOSTS)


class Certificates:
    """The certificates that deliveries are signed with, each fetched once. `get` gets what stands at an address."""

    def __init__(self, get: Get = get) -> None:
        self._get = get
        self._known: dict[str, x509.Certificate] = {}
        self._lock = threading.Lock()

    def fetch(self, url: str) -> None:
        """Have the certificate at `url` at hand, if SNS has one there. Raises Unreadable if it cannot be had."""
        if not is_certificate(url) or url in self._known:
            return
        with self._lock:
            try:
                found = x509.load_pem_x509_certificate(self._get(url))
            except (fetch.UnableToFetch, ValueError) as fault:
                raise Unreadable(f"The signing certificate of AWS SNS cannot be had: {fault}") from fault
            if len(self._known) >= MOST_CERTIFICATES:
                self._known.clear()
            self._known[url] = found

    def at(self, url: str) -> x509.Certificate:
        """The certificate at `url`, if it is in force. Raises Forged, or Unreadable if it is not at hand."""
        if not is_certificate(url):
            raise Forged("“SigningCertURL” is no address of a certificate of AWS SNS.")
        certificate = self._known.get(url)
        if certificate is None:
            raise Unreadable("The signing certificate of AWS SNS is not at hand.")
        if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
            raise Forged("The certificate at “SigningCertURL” is not in force.")
        return certificate


certificates = Certificates()


def check(envelope: Mapping[str, Any]) -> None:
    """Hold a delivery against its signature. Raises MalformedAlarm, Forged, or Unreadable."""
    fields = SIGNED.get(words(envelope, "Type"))
    if fields is None:
        raise MalformedAlarm(f"“Type” should be one of {', '.join(SIGNED)}.")
    algorithm = HASHES.get(words(envelope, "SignatureVersion"))
    if algorithm is None:
        raise Forged("“SignatureVersion” should be 1 or 2.")
    key = certificates.at(words(envelope, "SigningCertURL")).public_key()
    if not isinstance(key, RSAPublicKey):
        raise Forged("The certificate at “SigningCertURL” has no RSA key.")
    try:
        signature = base64.b64decode(words(envelope, "Signature"), validate=True)
        key.verify(signature, _signed(envelope, fields), PKCS1v15(), algorithm())
    except (ValueError, InvalidSignature):
        raise Forged("The signature of AWS SNS does not fit what it signs.") from None


def question(envelope: Mapping[str, Any]) -> str:
    """The address that says yes to a SubscriptionConfirmation, if that is what it is and SNS asks; else empty."""
    url = words(envelope, "SubscribeURL")
    return url if words(envelope, "Type") == "SubscriptionConfirmation" and is_of_sns(url) else ""


def is_of_sns(url: str) -> bool:
    """Whether `url` is an https address of a regional host of SNS, and nothing cleverer than that."""
    try:
        parts = urlsplit(url)
        plain = (
            parts.scheme == "https"
            and parts.port in (None, 443)
            and not parts.username
            and not parts.password
        )
    except ValueError:
        return False
    return plain and HOSTS.fullmatch(parts.hostname or "") is not None and "\\" not in url


def is_certificate(url: str) -> bool:
    return is_of_sns(url) and urlsplit(url).path.endswith(".pem")


def _signed(envelope: Mapping[str, Any], fields: tuple[str, ...]) -> bytes:
    """The text under the signature: name and value of each field that is there, a line each."""
    told = ((name, envelope.get(name)) for name in fields)
    return "".join(f"{name}\n{value}\n" for name, value in told if isinstance(value, str)).encode()
