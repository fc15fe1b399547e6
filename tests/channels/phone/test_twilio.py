"""Twilio's callbacks: who signed them, what they say of a call, and that a copy of one says nothing new."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.test import Client as Http

from tests.cast import Cast
from tests.exchange import ANN, TOKEN, Pbx
from tierdesk.channels.phone.models import Call, Exchange, Extension
from tierdesk.channels.phone.twilio import is_signed
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope

ACCOUNT = "12345"
URL = f"https://desk.example/phone/{TOKEN}/"


def signed(fields: dict[str, str], *, url: str = URL, token: str = ACCOUNT) -> str:
    said = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


@dataclass
class Twilio:
    """Twilio as it calls us: `says("ringing", at)` of the call CA1 of Ann's, unless told otherwise."""

    def says(self, status: str, at: datetime, *, query: str = "", **fields: str) -> Any:
        told = {"CallSid": "CA1", "CallStatus": status, "Direction": "inbound", "From": ANN, "To": "+4930999"}
        told |= fields
        return self.posts(told, signed(told, url=URL + query), at, query=query)

    def posts(self, told: dict[str, str], signature: str, at: datetime, *, query: str = "") -> Any:
        with clock.frozen(at):
            answer = Http().post(f"/phone/{TOKEN}/{query}", told, headers={"X-Twilio-Signature": signature})
        set_scope(EVERY_CLIENT)
        return answer


@pytest.fixture
def twilio(pbx: Pbx, settings: Any) -> Twilio:
    settings.TWILIO_AUTH_TOKEN, settings.BASE_URL = ACCOUNT, "https://desk.example"
    Exchange.objects.update(kind="twilio")
    return Twilio()


LEG = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:lena"}


EXAMPLE = "https://mycompany.com/myapp.php?foo=1&bar=2"
"""Of https://www.twilio.com/docs/usage/security, with its fields and its account token."""


def test_a_signature_is_as_twilio_documents_it() -> None:
    phone = ["+14158675309"]
    fields = {"CallSid": ["CA1234567890ABCDE"], "Caller": phone, "Digits": ["1234"], "From": phone}
    fields["To"] = ["+18005551212"]
    assert is_signed(EXAMPLE, fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "12345")
    assert not is_signed(EXAMPLE, fields | {"Digits": ["1235"]}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "12345")


def test_a_field_that_is_sent_several_times_is_signed_once_per_value() -> None:
    fields = {"Sid": ["CA123"], "SidAccount": ["AC123"], "Digits": ["5678", "1234", "1234"]}
    assert is_signed(EXAMPLE, fields, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", "12345")


def test_a_call_is_told_by_its_own_leg_and_by_ours(
    cast: Cast, pbx: Pbx, twilio: Twilio, at: datetime
) -> None:
    Extension.objects.create(exchange=pbx.row, number="lena", agent=cast.lena)
    answer = twilio.says("ringing", at)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml")
    twilio.says("ringing", at, **LEG)
    assert (pbx.call("CA1").rings_for, pbx.call("CA1").contact) == ([cast.lena.pk], cast.ann)
    twilio.says("in-progress", at)  # music on hold
    assert pbx.call("CA1").state == "ringing"
    twilio.says("in-progress", at + timedelta(seconds=9), **LEG)
    assert (pbx.call("CA1").state, pbx.call("CA1").agent) == ("answered", cast.lena)
    twilio.says("completed", at + timedelta(seconds=69), **LEG)
    assert pbx.call("CA1").state == "answered"
    twilio.says("completed", at + timedelta(seconds=69))
    assert (pbx.call("CA1").state, pbx.call("CA1").lasted) == ("ended", timedelta(minutes=1))
    assert Call.objects.count() == 1


def test_a_caller_is_sent_on_to_the_document_that_the_voice_address_names(
    pbx: Pbx, twilio: Twilio, at: datetime
) -> None:
    """An empty answer would hang up on them."""
    document = "https://handler.twilio.com/twiml/EH1?who=lena&more=1"
    answer = twilio.says("ringing", at, query=f"?{urlencode({'then': document})}")
    [redirect] = ElementTree.fromstring(answer.content)
    assert (redirect.tag, redirect.text, pbx.call("CA1").state) == ("Redirect", document, "ringing")
    assert list(ElementTree.fromstring(twilio.says("completed", at).content)) == []


def test_nobody_else_says_where_a_caller_is_sent_on_to(twilio: Twilio, at: datetime) -> None:
    told = {"CallSid": "CA1", "CallStatus": "ringing", "From": ANN}
    assert (
        twilio.posts(told, signed(told), at, query="?then=https%3A%2F%2Felsewhere.example").status_code == 401
    )


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ({"CallStatus": "completed"}, "missed"),
        ({"CallStatus": "no-answer"}, "missed"),
        ({"CallStatus": "in-progress", "DialCallStatus": "no-answer"}, "missed"),
        ({"CallStatus": "in-progress", "DialCallStatus": "completed"}, "ended"),
        ({"CallStatus": "in-progress", "DialCallStatus": "answered"}, "answered"),
    ],
)
def test_how_a_call_ends(pbx: Pbx, twilio: Twilio, at: datetime, last: dict[str, str], state: str) -> None:
    twilio.says("ringing", at)
    twilio.says("no-answer", at, **LEG)
    twilio.says(last.pop("CallStatus"), at, **last)
    assert pbx.call("CA1").state == state


def test_a_replayed_callback_has_no_second_effect(pbx: Pbx, twilio: Twilio, at: datetime) -> None:
    told = {"CallSid": "CA1", "CallStatus": "ringing", "Direction": "inbound", "From": ANN, "To": "+4930999"}
    signature = signed(told)
    assert twilio.posts(told, signature, at).status_code == 200
    twilio.says("completed", at)
    before = Call.objects.values().get()
    assert twilio.posts(told, signature, at + timedelta(days=3)).status_code == 200
    assert Call.objects.values().get() == before


def test_nobody_but_the_account_is_heard(twilio: Twilio, at: datetime) -> None:
    told = {"CallSid": "CA1", "CallStatus": "ringing", "From": ANN}
    good = signed(told)
    for signature in (
        "",
        "x",
        good[:-2],
        signed(told, token="another"),
        signed(told, url=URL.replace("s:", ":")),
    ):
        assert twilio.posts(told, signature, at).status_code == 401, signature
    assert twilio.posts(told | {"From": ANN + "1"}, good, at).status_code == 401
    assert twilio.posts(told | {"To": "more"}, good, at).status_code == 401
    assert not Call.objects.exists()


def test_without_an_account_token_nothing_is_taken(twilio: Twilio, at: datetime, settings: Any) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    told = {"CallSid": "CA1", "CallStatus": "ringing"}
    assert twilio.posts(told, signed(told, token=""), at).status_code == 401


def test_a_recording_is_kept_as_a_link(pbx: Pbx, twilio: Twilio, at: datetime) -> None:
    Exchange.objects.update(keeps_recordings_days=7)
    twilio.says("ringing", at)
    link = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
    told = {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": link, "RecordingStatus": "completed"}
    twilio.posts(told, signed(told), at)
    assert pbx.call("CA1").recording == link
    assert pbx.call("CA1").state == "ringing"
