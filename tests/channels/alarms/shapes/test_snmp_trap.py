"""SNMP notifications: which alarm each raises or clears, and what an inform is answered."""

from __future__ import annotations

import orjson
import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto.api import v2c

from tests.channels.alarms.shapes.traps import LINK, link, old_trap, trap
from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.shapes.snmp_trap import answer_to, trap_of


def read(raw: bytes, secret: str = "") -> AlarmEvent:
    [event] = shapes.read("snmp_trap", Request(raw, remote="10.0.0.9", secret=secret))
    return event


def test_a_link_that_comes_up_clears_what_its_going_down_raised() -> None:
    down, up, other = read(link("down", 2)), read(link("up", 2)), read(link("down", 3))
    assert (down.action.value, up.action.value) == ("raise", "clear")
    assert down.key == up.key != other.key
    assert (down.resource, down.severity, down.summary) == ("10.0.0.9", 2, "linkDown Gi0/2 at 10.0.0.9")
    assert down.labels == {"ifIndex": "2", "ifDescr": "Gi0/2", "ifOperStatus": "2"}


@pytest.mark.parametrize(
    ("generic", "specific", "name"),
    [(0, 0, "coldStart"), (2, 0, "linkDown"), (4, 0, "authenticationFailure"), (6, 17, "1.3.6.1.4.1.9.0.17")],
)
def test_a_trap_of_version_1_is_what_version_2_would_call_it(generic: int, specific: int, name: str) -> None:
    event = read(old_trap(generic, specific=specific))
    assert (event.class_, event.resource) == (name, "10.0.0.7")


def test_an_agent_that_does_not_know_its_address_is_its_sender() -> None:
    assert read(old_trap(0, agent="0.0.0.0")).resource == "10.0.0.9"


def test_what_nobody_has_a_name_for_is_a_warning_by_its_number() -> None:
    event = read(trap("1.3.6.1.4.1.9.9.41.2.0.1", ("1.3.6.1.4.1.9.9.41.1.2.3.1.5.1", b"\x00\x1b\xff")))
    assert (event.severity, event.class_) == (3, "1.3.6.1.4.1.9.9.41.2.0.1")
    assert event.labels == {"1.3.6.1.4.1.9.9.41.1.2.3.1.5.1": "0x001bff"}


def test_an_inform_is_answered_with_what_it_said() -> None:
    raw = link("down", 2, inform=True)
    asked, _ = decoder.decode(raw, asn1Spec=v2c.Message())
    answer, _ = decoder.decode(answer_to(raw), asn1Spec=v2c.Message())
    said, asked_pdu = v2c.apiMessage.get_pdu(answer), v2c.apiMessage.get_pdu(asked)
    assert said.isSameTypeWith(v2c.ResponsePDU())
    assert v2c.apiPDU.get_request_id(said) == v2c.apiPDU.get_request_id(asked_pdu)
    assert v2c.apiPDU.get_varbinds(said) == v2c.apiPDU.get_varbinds(asked_pdu)
    assert answer_to(link("down", 2)) == answer_to(b"nonsense") == b""


def test_the_community_is_the_secret_of_the_source() -> None:
    assert read(link("down", 2, community="house"), secret="house").class_ == "linkDown"
    with pytest.raises(shapes.MalformedAlarm, match="community") as refused:
        read(link("down", 2), secret="house")
    assert refused.value.status == 401


def test_what_another_receiver_decoded_is_the_same_alarm() -> None:
    told = {"agent": "10.0.0.9", "trap_oid": f"{LINK}.3", "varbinds": {"1.3.6.1.2.1.2.2.1.1.2": "2"}}
    assert read(orjson.dumps(told)).key == read(link("down", 2)).key


BROKEN = {
    "nothing": b"",
    "a letter": b"x",
    "an empty object": b"{}",
    "nested without end": b"\x30\x80" * 5000,
    "a length of 4 GB": b"\x30\x84\xff\xff\xff\xff",
    "cut off": link("down", 2)[:40],
    "version 3": bytes([0x30, 3, 2, 1, 3]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_trap_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(shapes.MalformedAlarm) as refused:
        read(BROKEN[name])
    assert str(refused.value)


def test_any_damage_to_a_trap_is_read_or_refused() -> None:
    whole = link("down", 2)
    for place in range(len(whole)):
        for value in (0x00, 0x30, 0x7F, 0x80, 0xFF):
            try:
                trap_of(whole[:place] + bytes([value]) + whole[place + 1 :], "10.0.0.9")
            except shapes.MalformedAlarm as refusal:
                assert str(refusal)
