"""What is signed is held against the secret of its source; a recording of it, later, is not believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import MONDAY_10
from tierdesk.channels.alarms.reading import Forged
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.shapes import read
from tierdesk.channels.alarms.shapes.grafana import signature as grafana
from tierdesk.channels.alarms.signatures import Check, hex_hmac, standard_webhook
from tierdesk.channels.alarms.tokens import sealed, unsealed
from tierdesk.core import clock

BODY = b'{"key": "disk", "summary": "full"}'
SECRET = "the source's own"
NOW = str(int(MONDAY_10.timestamp()))
pagerduty = hex_hmac("x-pagerduty-signature", version="v1")


@pytest.fixture(autouse=True)
def _ten_on_monday() -> Iterator[None]:
    with clock.frozen(MONDAY_10):
        yield


def mac(signed: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def webhook(at: str = NOW, secret: str = SECRET) -> dict[str, str]:
    signature = base64.b64encode(mac(f"msg_1.{at}.".encode() + BODY, secret)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,bm8= v1,{signature}"}


GOOD: list[tuple[Check, dict[str, str], str]] = [
    (grafana, {"x-grafana-alerting-signature": mac(BODY).hex()}, "the body alone"),
    (
        grafana,
        {
            "x-grafana-alerting-signature": mac(f"{NOW}:".encode() + BODY).hex(),
            "x-grafana-alerting-timestamp": NOW,
        },
        "with the time in front",
    ),
    (
        pagerduty,
        {"x-pagerduty-signature": f"v1={mac(BODY, 'old').hex()},v1={mac(BODY).hex()}"},
        "one of two secrets",
    ),
    (standard_webhook, webhook(), "one of several signatures"),
]


@pytest.mark.parametrize(("check", "headers", "why"), GOOD)
def test_what_is_signed_is_believed(check: Check, headers: dict[str, str], why: str) -> None:
    check(Request(BODY, headers, secret=SECRET))


@pytest.mark.parametrize(("check", "headers", "why"), GOOD)
def test_one_byte_more_is_not(check: Check, headers: dict[str, str], why: str) -> None:
    with pytest.raises(Forged):
        check(Request(BODY + b" ", headers, secret=SECRET))
    with pytest.raises(Forged):
        check(Request(BODY, headers, secret="another source's"))
    with pytest.raises(Forged):
        check(Request(BODY, {}, secret=SECRET))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_recording_is_not_believed(minutes: int) -> None:
    at = str(int((MONDAY_10 + timedelta(minutes=minutes)).timestamp()))
    with pytest.raises(Forged, match="five minutes"):
        standard_webhook(Request(BODY, webhook(at), secret=SECRET))


@pytest.mark.parametrize("at", ["", "soon", "nan", "1e30"])
def test_a_time_that_is_none_is_not_believed(at: str) -> None:
    with pytest.raises(Forged):
        standard_webhook(Request(BODY, webhook(at), secret=SECRET))


def test_a_secret_may_be_written_as_the_standard_has_it() -> None:
    written = "whsec_" + base64.b64encode(SECRET.encode()).decode()
    standard_webhook(Request(BODY, webhook(), secret=written))


def test_what_a_signed_request_says_twice_is_heard_once() -> None:
    request = Request(BODY, webhook(), secret=SECRET)
    assert {event.event_id for event in read("plain", request) + read("plain", request)} == {"msg_1 0"}


def test_a_source_without_a_secret_need_not_sign() -> None:
    assert len(read("plain", Request(BODY))) == 1


def test_a_secret_is_kept_sealed_and_one_that_cannot_be_read_any_more_lets_nothing_pass(
    settings: Any,
) -> None:
    stored = sealed("hush")
    assert unsealed(stored) == "hush" and b"hush" not in stored
    assert (sealed(""), unsealed(b"")) == (b"", "")
    settings.SECRET_KEY = "another " + "x" * 40
    unreadable = unsealed(stored)
    assert unreadable not in ("hush", "")
    assert unreadable == unsealed(stored), "nobody changed it"
    settings.SECRET_KEY = "a third " + "x" * 40
    assert unsealed(stored) != unreadable, "nobody can know it without the desk's key"
