"""Our own engine of SNMP version 3: its time, and what is too old for it. Real informs are in test_listeners.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pysnmp.proto.rfc1905 import InformRequestPDU

from tierdesk.channels.alarms import informs
from tierdesk.channels.alarms.reading import Forged
from tierdesk.channels.alarms.usm import BEGAN, OURS, WINDOW_S, Envelope, UsmUser, pdu_of
from tierdesk.core import clock

USER = UsmUser("router", "SHA-256", "signs-what-it-says", "AES", "hides-what-it-says")
NOW = BEGAN + timedelta(days=100)
PROBE = bytes.fromhex(
    "304f020103301102045d204e8f020300ffe30401040201030410300e04000201000201000400040004003025041180001f888019b03338bf210c6b000000000400a00e02046641a6030201000201003000"
)
"""As net-snmp asks who we are."""


def inform() -> bytes:
    """Signed and hidden now, as its user would."""
    pdu = InformRequestPDU()
    informs.PDUS.set_defaults(pdu)
    informs.PDUS.set_request_id(pdu, 77)
    return informs._message(Envelope.of(PROBE), pdu, USER, is_private=True)


def response(raw: bytes) -> Any:
    return Envelope.of(raw).words(USER)["data"].getComponent()


def test_who_asks_is_told_our_engine_and_its_time() -> None:
    with clock.frozen(NOW):
        report = Envelope.of(informs.report_to(PROBE, USER))
    assert (report.engine, report.sent, report.flags) == (OURS, (1, 100 * 86_400), 0)


def test_an_inform_is_answered_with_its_own_number() -> None:
    with clock.frozen(NOW):
        raw = inform()
        answer = informs.response_to(raw, USER)
    assert int(informs.PDUS.get_request_id(response(answer))) == 77
    Envelope.of(answer).prove(USER)


@pytest.mark.parametrize("seconds", [-WINDOW_S - 1, -WINDOW_S, WINDOW_S, WINDOW_S + 1])
def test_what_is_not_of_our_time_is_not_taken(seconds: int) -> None:
    with clock.frozen(NOW):
        raw = inform()
    with clock.frozen(NOW + timedelta(seconds=seconds)):
        if abs(seconds) <= WINDOW_S:
            assert pdu_of(raw, USER) is not None
            assert informs.response_to(raw, USER)
            return
        with pytest.raises(Forged, match="too long ago"):
            pdu_of(raw, USER)
        assert informs.response_to(raw, USER) == b""


@pytest.mark.parametrize(
    ("raw", "may"),
    [
        (PROBE, True),
        (PROBE.replace(b"\x02\x01\x03", b"\x02\x01\x01", 1), False),
        (b"", False),
        (b"<13>x", False),
    ],
)
def test_only_what_may_be_an_inform_is_looked_at(raw: bytes, may: bool) -> None:
    assert informs.may_be_inform(raw) is may


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_damaged_bytes_are_not_answered(cut: int) -> None:
    assert informs.report_to(PROBE[:cut], USER) == b""
    assert informs.response_to(PROBE[:cut], USER) == b""
