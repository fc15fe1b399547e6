"""The addresses that other systems have built in: each is answered in the words that its clients expect."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx
import orjson
import pytest

from tests.channels.alarms.test_lane import GatedStore, sending
from tierdesk.channels.alarms.arrival import KnownSource
from tierdesk.channels.alarms.routing import find, leads_to_machines
from tierdesk.channels.alarms.tokens import digest

KEY = "R" * 32
TRIGGER: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "db1/disk",
    "payload": {"summary": "/var 96 %", "source": "db1", "severity": "critical"},
}


@pytest.fixture
def store() -> GatedStore:
    store = GatedStore()
    for number, shape in enumerate(("pagerduty", "opsgenie", "vrealize", "cloudevents"), 10):
        store.known[digest(KEY if shape == "pagerduty" else shape)] = KnownSource(number, 1, shape)
    return store


def ask(store: GatedStore, method: str, path: str, body: Any = None, **rest: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    answer = sending(store, lambda sender: sender.request(method, path, content=content, **rest))
    assert isinstance(answer, httpx.Response)
    return answer


def genie(token: str = "opsgenie") -> dict[str, Any]:
    return {"headers": {"Authorization": f"GenieKey {token}"}}


class TestPagerDuty:
    def test_an_event_is_taken_in_as_pagerduty_would(self, store: GatedStore) -> None:
        answer = ask(store, "POST", "/v2/enqueue", TRIGGER)
        assert answer.status_code == 202
        assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "db1/disk"}
        alarm = store.alarm("db1/disk")
        assert alarm is not None and (alarm.state, alarm.severity) == ("open", 1)

    def test_it_is_acknowledged_and_resolved_by_its_key(self, store: GatedStore) -> None:
        ask(store, "POST", "/v2/enqueue", TRIGGER)
        for action, state in (("acknowledge", "acknowledged"), ("resolve", "cleared")):
            event = {"routing_key": KEY, "event_action": action, "dedup_key": "db1/disk"}
            assert ask(store, "POST", "/v2/enqueue", event).status_code == 202
            alarm = store.alarm("db1/disk")
            assert alarm is not None and alarm.state == state

    def test_a_change_is_noted_and_raises_nothing(self, store: GatedStore) -> None:
        change = {"routing_key": KEY, "payload": {"summary": "billing 4.2 is live", "source": "ci"}}
        answer = ask(store, "POST", "/v2/change/enqueue", change)
        assert (answer.status_code, answer.json()["message"]) == (202, "Change event processed")
        assert store.alarms == [] and len(store.events) == 1

    def test_an_event_without_an_action_is_no_change_at_the_other_address(self, store: GatedStore) -> None:
        answer = ask(store, "POST", "/v2/enqueue", TRIGGER | {"event_action": "shout"})
        assert answer.status_code == 400
        assert answer.json()["status"] == "invalid event"
        assert "event_action" in answer.json()["errors"][0]
        assert len(store.refusals) == 1

    @pytest.mark.parametrize(
        "body", [{}, TRIGGER | {"routing_key": "wrong"}, TRIGGER | {"routing_key": 5}, b"{", b"[]"]
    )
    def test_a_key_that_nobody_knows_is_refused_in_its_words(self, body: Any, store: GatedStore) -> None:
        answer = ask(store, "POST", "/v2/enqueue", body)
        assert (answer.status_code, answer.json()["status"]) == (401, "invalid event")
        assert store.commits == 0


class TestOpsgenie:
    def test_an_alert_lives_its_life(self, store: GatedStore) -> None:
        alert = {"message": "/var 96 %", "alias": "db1/disk", "priority": "P1"}
        answer = ask(store, "POST", "/v2/alerts", alert, **genie())
        assert answer.status_code == 202
        assert answer.json()["result"] == "Request will be processed"
        states = []
        for path in ("db1%2Fdisk/acknowledge?identifierType=alias", "db1%2Fdisk/close?identifierType=alias"):
            assert ask(store, "POST", f"/v2/alerts/{path}", {}, **genie()).status_code == 202
            alarm = store.alarm("db1/disk")
            assert alarm is not None
            states.append(alarm.state)
        assert states == ["acknowledged", "cleared"]

    def test_what_became_of_a_request_can_be_asked(self, store: GatedStore) -> None:
        made = ask(store, "POST", "/v2/alerts/", {"message": "full", "alias": "disk"}, **genie()).json()
        told = ask(store, "GET", f"/v2/alerts/requests/{made['requestId']}", **genie())
        assert told.status_code == 200
        assert told.json()["data"]["success"] is True
        assert told.json()["data"]["alertId"] == "disk"

    @pytest.mark.parametrize("path", ["/v2/alerts", "/v2/alerts/disk/close", "/v2/heartbeats/x/ping"])
    def test_a_wrong_key_is_refused_in_its_words(self, path: str, store: GatedStore) -> None:
        answer = ask(store, "POST", path, {"message": "x"}, **genie("wrong"))
        assert answer.status_code == 401
        assert set(answer.json()) == {"message", "took", "requestId"}

    def test_nobody_may_ask_without_a_key(self, store: GatedStore) -> None:
        assert ask(store, "GET", "/v2/alerts/requests/abc").status_code == 401

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
    def test_a_heartbeat_is_a_beat(self, method: str, store: GatedStore) -> None:
        answer = ask(store, method, "/v2/heartbeats/nightly/ping", **genie())
        assert (answer.status_code, answer.json()["result"]) == (202, "PONG - Heartbeat received")
        assert store.beats == {11: 1}


class TestOurOwn:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    @pytest.mark.parametrize("path", ["/in/opsgenie/beat", "/in/beat"])
    def test_a_beat_needs_no_body(self, method: str, path: str, store: GatedStore) -> None:
        answer = ask(store, method, path, headers={"Authorization": "Bearer opsgenie"})
        assert answer.status_code == 202
        assert (store.beats, store.alarms, store.refusals) == ({11: 1}, [], [])

    def test_an_alarm_is_not_sent_with_get(self, store: GatedStore) -> None:
        answer = ask(store, "GET", "/in/plain")
        assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST, PUT")

    def test_a_sender_may_put_and_hears_the_status_that_it_waits_for(self, store: GatedStore) -> None:
        alert = {"alertId": "a1", "status": "ACTIVE", "resourceName": "vm1", "alertName": "CPU"}
        assert ask(store, "POST", "/in/vrealize", alert).status_code == 201
        assert ask(store, "PUT", "/in/vrealize", alert | {"status": "CANCELED"}).status_code == 202
        alarm = store.alarm("a1")
        assert alarm is not None and alarm.state == "cleared"

    def test_who_asks_whether_it_may_send_events_may(self, store: GatedStore) -> None:
        asked = {"headers": {"WebHook-Request-Origin": "eventgrid.example"}}
        answer = ask(store, "OPTIONS", "/in/cloudevents", **asked)
        assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "eventgrid.example")
        assert ask(store, "OPTIONS", "/in/plain", **asked).status_code == 405
        assert ask(store, "OPTIONS", "/in/nobody", **asked).status_code == 401


class TestSignatures:
    BODY = orjson.dumps({"action": "resolved", "data": {"issue": {"id": "1", "title": "KeyError"}}})

    @pytest.fixture
    def sentry(self, store: GatedStore) -> GatedStore:
        store.known[digest("sentry")] = KnownSource(20, 1, "sentry", secret="client secret")
        return store

    def sign(self, secret: str, body: bytes = BODY) -> str:
        return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

    def test_what_is_signed_with_the_source_s_secret_is_taken(self, sentry: GatedStore) -> None:
        signed = {"headers": {"Sentry-Hook-Signature": self.sign("client secret")}}
        assert ask(sentry, "POST", "/in/sentry", self.BODY, **signed).status_code == 202

    @pytest.mark.parametrize("secret", ["other secret", ""])
    def test_what_is_not_is_refused_and_people_see_it(self, secret: str, sentry: GatedStore) -> None:
        signed = {"headers": {"Sentry-Hook-Signature": self.sign(secret)}}
        assert ask(sentry, "POST", "/in/sentry", self.BODY, **signed).status_code == 401
        assert sentry.alarms == []
        [refused] = sentry.refusals
        assert "not signed" in refused.refusal

    def test_a_body_that_was_changed_by_a_byte_is_not_what_was_signed(self, sentry: GatedStore) -> None:
        signed = {"headers": {"Sentry-Hook-Signature": self.sign("client secret")}}
        assert ask(sentry, "POST", "/in/sentry", self.BODY + b" ", **signed).status_code == 401


@pytest.mark.parametrize(
    ("path", "machines"),
    [
        ("/in", True), ("/in/abc", True), ("/in/abc/beat", True), ("/in/abc/else", True), ("/v2/enqueue", True),
        ("/v2/alerts/x/close", True), ("/inbox/", False), ("/", False), ("/v2", False), ("/v2/other", False),
        ("/tickets/1/", False), ("", False),
    ],
)  # fmt: skip
def test_only_what_machines_send_to_leaves_the_pages(path: str, machines: bool) -> None:
    assert leads_to_machines(path) is machines


def test_a_path_below_a_token_leads_nowhere() -> None:
    assert find("/in/abc/else") is None
