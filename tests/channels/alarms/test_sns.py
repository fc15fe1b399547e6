"""What AWS SNS delivers is believed only with its signature, by a certificate that only SNS can have put there."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.channels.alarms.test_doors import ask
from tests.channels.alarms.test_lane import GatedStore, sending
from tierdesk.channels.alarms import sns
from tierdesk.channels.alarms.arrival import KnownSource
from tierdesk.channels.alarms.reading import Forged, MalformedAlarm, Unreadable
from tierdesk.channels.alarms.sns import Certificates
from tierdesk.channels.alarms.tokens import digest
from tierdesk.core import clock
from tierdesk.core.fetch import UnableToFetch

ADDRESS = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ALARM = {
    "AlarmName": "cpu",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1234:alarm:cpu",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-06-08T08:00:00.000+0000",
    "Trigger": {"MetricName": "CPUUtilization", "Dimensions": [{"name": "InstanceId", "value": "i-1"}]},
}


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    dated = made.not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=30))
    return dated.serial_number(1).sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def delivery(message: Any = ALARM, *, version: str = "2", **fields: str) -> dict[str, str]:
    """A delivery that is signed with our key, as SNS signs."""
    envelope = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": "arn:aws:sns:eu-west-1:1234:ops",
        "Message": message if isinstance(message, str) else orjson.dumps(message).decode(),
        "Timestamp": "2026-06-08T08:00:01.000Z",
        "SignatureVersion": version,
        "SigningCertURL": ADDRESS,
    } | fields
    lines = "".join(
        f"{name}\n{envelope[name]}\n" for name in sns.SIGNED[envelope["Type"]] if name in envelope
    )
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # what SNS signs with by version
    envelope["Signature"] = base64.b64encode(KEY.sign(lines.encode(), PKCS1v15(), algorithm)).decode()
    return envelope


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were fetched; at each stands our certificate."""
    addresses: list[str] = []

    def get(url: str) -> bytes:
        addresses.append(url)
        return certificate()

    monkeypatch.setattr(sns, "certificates", Certificates(get))
    return addresses


@pytest.fixture
def believed(fetched: list[str]) -> Callable[[dict[str, str]], None]:
    """Fetch what a delivery names, and hold it against its signature."""

    def check(envelope: dict[str, str]) -> None:
        sns.certificates.fetch(envelope["SigningCertURL"])
        sns.check(envelope)

    return check


Check = Callable[[dict[str, str]], None]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_delivery_with_its_signature_is_believed(believed: Check, version: str) -> None:
    believed(delivery(version=version))
    believed(delivery(version=version, Subject="ALARM: cpu"))


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "TopicArn", "Signature"])
def test_one_that_was_changed_is_not(believed: Check, field: str) -> None:
    envelope = delivery()
    with pytest.raises(Forged):
        believed(envelope | {field: "A" + envelope[field]})


def test_a_subject_that_was_added_is_a_change(believed: Check) -> None:
    with pytest.raises(Forged):
        believed(delivery() | {"Subject": "another"})


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://evil@sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://s3.eu-west-1.amazonaws.com/mine/x.pem",
        "https://evil.sns.eu-west-1.amazonaws.com/x.pem",
        "https://evil.example\\.sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.html",
        "https://169.254.169.254/x.pem",
        "file:///etc/x.pem",
        "https://[::1/x.pem",
        "",
    ],
)
def test_a_certificate_of_anybody_else_is_not_even_fetched(
    believed: Check, fetched: list[str], url: str
) -> None:
    with pytest.raises(Forged):
        believed(delivery(SigningCertURL=url))
    assert fetched == []


def test_a_certificate_is_fetched_once(believed: Check, fetched: list[str]) -> None:
    for _ in range(3):
        believed(delivery())
    assert fetched == [ADDRESS]


def test_one_that_is_out_of_force_proves_nothing(believed: Check) -> None:
    with clock.frozen(datetime.now(UTC) + timedelta(days=31)), pytest.raises(Forged, match="in force"):
        believed(delivery())


def test_what_is_no_certificate_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns, "certificates", Certificates(lambda url: b"<html>"))
    with pytest.raises(Unreadable):
        sns.certificates.fetch(ADDRESS)


def test_a_type_or_version_that_sns_does_not_have_is_refused(believed: Check) -> None:
    with pytest.raises(MalformedAlarm, match="Type"):
        believed(delivery() | {"Type": "Greeting"})
    with pytest.raises(Forged, match="SignatureVersion"):
        believed(delivery() | {"SignatureVersion": "3"})


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription", True),
        ("https://sns.us-gov-west-1.amazonaws.com/?Action=ConfirmSubscription", True),
        ("https://evil.example/?Action=ConfirmSubscription", False),
        ("http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", False),
    ],
)
def test_only_a_question_of_sns_itself_can_be_answered(url: str, asked: bool) -> None:
    confirmation = {"Type": "SubscriptionConfirmation", "SubscribeURL": url}
    assert sns.question(confirmation) == (url if asked else "")
    assert sns.question(confirmation | {"Type": "Notification"}) == ""


class TestThroughTheLane:
    @pytest.fixture
    def store(self) -> GatedStore:
        store = GatedStore()
        store.known[digest("aws")] = KnownSource(1, 1, "cloudwatch")
        return store

    def test_an_alarm_is_raised_and_cleared_and_said_twice_is_heard_once(
        self, store: GatedStore, fetched: list[str]
    ) -> None:
        for _ in range(2):
            assert ask(store, "POST", "/in/aws", delivery()).status_code == 202
        alarm = store.alarm(ALARM["AlarmArn"])  # type: ignore[arg-type]
        assert alarm is not None and (alarm.state, alarm.severity, alarm.count) == ("open", 2, 1)
        ok = delivery(
            ALARM | {"NewStateValue": "OK", "StateChangeTime": "2026-06-08T08:05:00.000+0000"}, MessageId="m2"
        )
        assert ask(store, "POST", "/in/aws", ok).status_code == 202
        assert alarm.state == "cleared"
        assert fetched == [ADDRESS]

    def test_a_forged_one_is_refused_and_kept_for_people_to_see(
        self, store: GatedStore, fetched: list[str]
    ) -> None:
        answer = ask(store, "POST", "/in/aws", delivery() | {"MessageId": "m9"})
        assert (answer.status_code, store.alarms) == (401, [])
        assert "signature" in store.refusals[0].refusal

    @pytest.fixture
    def away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def get(url: str) -> bytes:
            raise UnableToFetch("it does not answer.")

        monkeypatch.setattr(sns, "certificates", Certificates(get))

    @pytest.mark.usefixtures("away")
    def test_while_the_certificate_cannot_be_had_it_is_to_come_again_and_hears_why(
        self, store: GatedStore
    ) -> None:
        answer = ask(store, "POST", "/in/aws", delivery())
        assert (answer.status_code, store.alarms) == (503, [])
        assert answer.json()["error"] == (
            "The signing certificate of AWS SNS cannot be had: it does not answer. Send it again."
        )

    @pytest.mark.usefixtures("away")
    def test_people_see_why_on_one_of_those_that_come_again_and_again(self, store: GatedStore) -> None:
        async def again(sender: httpx.AsyncClient) -> None:
            for _ in range(3):
                await sender.post("/in/aws", content=orjson.dumps(delivery()))

        sending(store, again)
        [kept] = store.refusals
        assert (kept.status, kept.raw) == (503, orjson.dumps(delivery()))
        assert kept.refusal == "The signing certificate of AWS SNS cannot be had: it does not answer."

    def test_a_question_is_kept_for_a_person_and_never_answered_by_itself(
        self, store: GatedStore, fetched: list[str]
    ) -> None:
        question = delivery(
            "You have chosen to subscribe",
            Type="SubscriptionConfirmation",
            Token="t",
            SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
        )
        assert ask(store, "POST", "/in/aws", question).status_code == 202
        assert "asks whether this desk wants" in store.refusals[0].refusal
        assert fetched == [ADDRESS], "nothing but the certificate was fetched"

    def test_another_message_of_the_topic_is_raised(self, store: GatedStore, fetched: list[str]) -> None:
        budget = delivery("Your budget is used up.", Subject="AWS Budgets")
        assert ask(store, "POST", "/in/aws", budget).status_code == 202
        [alarm] = store.alarms
        assert (alarm.state, alarm.summary) == ("open", "AWS Budgets")
