"""The monitoring systems that tell one thing at a time: what each of their words does, and to which alarm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.channels.alarms.shapes.heard import heard, read
from tierdesk.channels.alarms.shapes import MalformedAlarm


class TestZabbix:
    PROBLEM = {
        "event_id": "91842", "value": "1", "update_status": "0", "nseverity": "4", "name": "Disk space low on /var",
        "host": "db1", "host_ip": "10.0.0.5", "trigger": "Disk space low on {#FSNAME}", "trigger_id": "13491",
        "tags": '[{"tag":"service","value":"billing"}]', "opdata": "96 %", "update": "{EVENT.UPDATE.ACTION}",
        "message": "{EVENT.UPDATE.MESSAGE}", "description": "{TRIGGER.DESCRIPTION}", "url": "https://zabbix.example/",
    }  # fmt: skip

    def test_a_problem_raises(self) -> None:
        [event] = read("zabbix", self.PROBLEM)
        assert (event.action.value, event.key, event.severity, event.resource) == ("raise", "13491", 2, "db1")
        assert (event.summary, event.text) == ("Disk space low on /var", "96 %")
        assert event.labels == {"service": "billing", "host_ip": "10.0.0.5", "event_id": "91842"}
        assert event.class_ == "Disk space low on …"
        [link] = event.links
        assert link.href == "https://zabbix.example/tr_events.php?triggerid=13491&eventid=91842"

    @pytest.mark.parametrize(
        ("said", "action"),
        [
            ({"value": "0"}, "clear"),
            ({"value": "0", "update_status": "1", "update": "closed"}, "clear"),
            ({"update_status": "1", "update": "acknowledged"}, "ack"),
            ({"update_status": "1", "update": "acknowledged, commented"}, "ack"),
            ({"update_status": "1", "update": "unacknowledged"}, "note"),
            ({"update_status": "1", "update": "commented", "message": "on it"}, "note"),
        ],
    )
    def test_recovery_and_updates_are_about_the_same_alarm(self, said: dict[str, str], action: str) -> None:
        assert heard("zabbix", self.PROBLEM | said)[:2] == (action, "13491")

    def test_what_comes_back_is_the_same_alarm_with_an_event_of_its_own(self) -> None:
        assert heard("zabbix", self.PROBLEM | {"event_id": "91900"})[1] == "13491"

    def test_a_media_type_that_names_no_trigger_is_told_apart_by_events(self) -> None:
        assert heard("zabbix", self.PROBLEM | {"trigger_id": "{TRIGGER.ID}"})[1] == "91842"

    @pytest.mark.parametrize(
        ("nseverity", "severity"), [("0", 5), ("1", 5), ("2", 3), ("3", 3), ("4", 2), ("5", 1)]
    )
    def test_its_severities(self, nseverity: str, severity: int) -> None:
        assert heard("zabbix", self.PROBLEM | {"nseverity": nseverity})[2] == severity

    def test_a_macro_that_was_not_expanded_counts_as_absent(self) -> None:
        [event] = read(
            "zabbix",
            self.PROBLEM | {"host": "{HOST.HOST}", "url": "{$ZABBIX.URL}", "tags": "{EVENT.TAGSJSON}"},
        )
        assert (event.resource, event.links) == ("", ())
        with pytest.raises(MalformedAlarm, match="event_id"):
            read("zabbix", self.PROBLEM | {"event_id": "{EVENT.ID}"})


class TestNagios:
    PROBLEM = {
        "source": "nagios", "type": "PROBLEM", "host": "db1", "service": "disk /var", "state": "CRITICAL",
        "output": "96 % used", "long_output": "of 40 GB", "problem_id": "4711", "time": "1780905600",
    }  # fmt: skip

    def test_a_service_problem_raises_the_service_on_its_host(self) -> None:
        [event] = read("nagios", self.PROBLEM)
        assert (event.action.value, event.key, event.severity) == ("raise", "db1!disk /var", 2)
        assert event.summary == "disk /var is CRITICAL: 96 % used"
        assert event.at == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"service": "", "state": "DOWN"}, ("raise", "db1", 1)),
            ({"service": "", "state": "UNREACHABLE"}, ("raise", "db1", 2)),
            ({"state": "WARNING"}, ("raise", "db1!disk /var", 3)),
            ({"state": "UNKNOWN"}, ("raise", "db1!disk /var", 3)),
            ({"type": "RECOVERY", "state": "OK"}, ("clear", "db1!disk /var", 2)),
            ({"type": "ACKNOWLEDGEMENT", "author": "ann", "comment": "mine"}, ("ack", "db1!disk /var", 2)),
            ({"type": "FLAPPINGSTART"}, ("note", "db1!disk /var", 2)),
            ({"type": "DOWNTIMEEND"}, ("note", "db1!disk /var", 2)),
            ({"type": "CUSTOM"}, ("note", "db1!disk /var", 2)),
        ],
    )
    def test_each_type_of_notification(self, said: dict[str, str], told: tuple[str, str, int]) -> None:
        assert heard("nagios", self.PROBLEM | said) == told

    @pytest.mark.parametrize(("said", "word"), [({"host": ""}, "host"), ({"type": "PARTY"}, "PARTY")])
    def test_what_it_cannot_place_is_refused(self, said: dict[str, str], word: str) -> None:
        with pytest.raises(MalformedAlarm, match=word):
            read("nagios", self.PROBLEM | said)


class TestDatadog:
    TRIGGERED = {
        "id": "5577", "event_type": "metric_alert_monitor", "title": "[Triggered] CPU is high", "name": "CPU is high",
        "body": "It is.", "date": "1780905600000", "alert_id": "123", "cycle_key": "c9", "transition": "Triggered",
        "type": "error", "priority": "normal", "scope": "host:db1", "metric": "system.cpu", "query": "avg(last_5m)",
        "host": "db1", "tags": "service:billing,env:prod", "link": "https://app.datadoghq.com/m/123", "org": "Acme",
    }  # fmt: skip

    def test_a_triggered_monitor_raises_its_cycle(self) -> None:
        [event] = read("datadog", self.TRIGGERED)
        assert (event.action.value, event.key, event.severity, event.event_id) == ("raise", "c9", 2, "5577")
        assert (event.resource, event.service, event.class_) == ("db1", "billing", "system.cpu")
        assert event.at == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"transition": "Recovered"}, ("clear", "c9", 3)),
            ({"transition": "Re-Triggered"}, ("raise", "c9", 2)),
            ({"transition": "Warn"}, ("raise", "c9", 3)),
            ({"transition": "No Data"}, ("raise", "c9", 3)),
            ({"transition": "Renotify", "priority": "P1"}, ("raise", "c9", 1)),
            ({"cycle_key": "$ALERT_CYCLE_KEY"}, ("raise", "123 host:db1", 2)),
        ],
    )
    def test_transitions(self, said: dict[str, str], told: tuple[str, str, int]) -> None:
        event = heard("datadog", self.TRIGGERED | said)
        assert event[:2] == told[:2]
        assert event[0] == "clear" or event[2] == told[2]

    def test_an_event_of_no_monitor_is_a_note(self) -> None:
        test = dict.fromkeys(self.TRIGGERED, "$X") | {"title": "A test", "id": "1"}
        assert heard("datadog", test)[0] == "note"
        with pytest.raises(MalformedAlarm, match="title"):
            read("datadog", dict.fromkeys(self.TRIGGERED, "$X"))


class TestUptimeKuma:
    DOWN = {
        "heartbeat": {"monitorID": 7, "status": 0, "time": "2026-06-08 08:00:00.000", "msg": "timeout", "ping": None},
        "monitor": {"id": 7, "name": "shop", "url": "https://shop.example", "hostname": None, "type": "http"},
        "msg": "[shop] [Down] timeout",
    }  # fmt: skip

    def test_down_raises_and_up_clears_the_monitor(self) -> None:
        [event] = read("uptime_kuma", self.DOWN)
        assert (event.action.value, event.key, event.severity) == ("raise", "monitor 7", 1)
        assert (event.summary, event.resource) == ("shop: timeout", "https://shop.example")
        for status, action in ((1, "clear"), (2, "note"), (3, "note")):
            assert heard("uptime_kuma", self.DOWN | {"heartbeat": {"status": status}})[:2] == (
                action,
                "monitor 7",
            )

    def test_a_form_is_understood_as_well(self) -> None:
        boundary = {"content-type": 'multipart/form-data; boundary="xx"'}
        part = b'--xx\r\nContent-Disposition: form-data; name="data"\r\n\r\n%s\r\n--xx--\r\n'
        body = b'{"monitor": {"id": 7}, "heartbeat": {"status": 1}, "msg": "up"}'
        assert heard("uptime_kuma", part % body, headers=boundary)[:2] == ("clear", "monitor 7")
        encoded = {"content-type": "application/x-www-form-urlencoded"}
        assert heard("uptime_kuma", b"data=" + body.replace(b" ", b"+"), headers=encoded)[0] == "clear"

    def test_a_test_is_a_note_and_a_certificate_that_will_expire_a_warning(self) -> None:
        empty: dict[str, Any] = {"heartbeat": None, "monitor": None}
        assert heard("uptime_kuma", empty | {"msg": "My webhook Testing"})[0] == "note"
        keys = {
            heard(
                "uptime_kuma", empty | {"msg": f"[shop][https://shop] certificate will expire in {days} days"}
            )
            for days in (21, 14, 7)
        }
        [(action, _, severity)] = keys
        assert (action, severity) == ("raise", 3)


class TestSentry:
    HOOKED = {"sentry-hook-timestamp": "1780905600", "sentry-hook-resource": "event_alert"}

    def hook(self, action: str, **data: Any) -> dict[str, Any]:
        return {
            "action": action,
            "installation": {"uuid": "a8"},
            "data": data,
            "actor": {"type": "application"},
        }

    def test_an_issue_alert_raises_its_issue(self) -> None:
        event = {
            "event_id": "e9", "issue_id": "11", "title": "KeyError: 'sku'", "level": "error", "culprit": "cart.add",
            "web_url": "https://sentry.example/11", "tags": [["environment", "prod"], ["server_name", "web1"], "odd"],
        }  # fmt: skip
        body = self.hook("triggered", event=event, triggered_rule="New in prod")
        [told] = read("sentry", body, headers=self.HOOKED)
        assert (told.action.value, told.key, told.severity, told.resource) == ("raise", "issue 11", 2, "web1")
        assert told.event_id == "e9 New in prod"
        assert told.at == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("action", "told"),
        [
            ("created", "raise"), ("unresolved", "raise"), ("resolved", "clear"), ("archived", "clear"),
            ("ignored", "clear"), ("assigned", "note"),
        ],
    )  # fmt: skip
    def test_the_issue_itself_says_when_it_is_over(self, action: str, told: str) -> None:
        issue = {
            "id": "11",
            "title": "KeyError",
            "level": "fatal",
            "shortId": "SHOP-1",
            "project": {"slug": "shop"},
        }
        assert heard("sentry", self.hook(action, issue=issue)) == (told, "issue 11", 1)

    @pytest.mark.parametrize(
        ("action", "told"),
        [("critical", ("raise", 1)), ("warning", ("raise", 3)), ("resolved", ("clear", 2))],
    )
    def test_a_metric_alert_raises_and_clears(self, action: str, told: tuple[str, int]) -> None:
        body = self.hook(
            action, metric_alert={"id": "4", "alert_rule": {"name": "p95"}}, description_title="Slow"
        )
        assert heard("sentry", body) == (told[0], "metric alert 4", told[1])

    def test_hooks_about_other_things_are_nothing(self) -> None:
        assert read("sentry", self.hook("created", installation={"uuid": "a8"})) == []


class TestOthers:
    """Each has its published bodies in test_payloads.py; here is what those do not show."""

    @pytest.mark.parametrize(
        ("shape", "body", "told"),
        [
            ("pingdom", {"check_id": 1, "current_state": "PAUSED", "check_name": "shop"}, ("note", "check 1", 3)),
            ("pingdom", {"check_id": 1, "current_state": "DOWN", "importance_level": "LOW"}, ("raise", "check 1", 3)),
            ("riemann", [{"host": "h", "service": "s", "state": "expired"}], ("raise", "h s", 3)),
            ("riemann", {"host": "h", "service": "s", "state": "critical"}, ("raise", "h s", 1)),
            ("kapacitor", {"id": "x", "level": "OK", "message": "fine"}, ("clear", "x", 3)),
            ("kapacitor", {"id": "x", "level": "CRITICAL", "message": "bad"}, ("raise", "x", 1)),
            ("oncall", {"alert_uid": "u", "title": "t", "state": "ok"}, ("clear", "u", 3)),
            ("google_cloud", {"incident": {"incident_id": "i", "state": "OPEN", "severity": "Critical"}},
                ("raise", "i", 1)),
            ("google_cloud", {"incident": {"incident_id": "i", "state": "open", "severity": "No severity"}},
                ("raise", "i", 3)),
            ("vrealize", {"alertId": "a", "status": "CANCELED", "criticality": "ALERT_CRITICALITY_LEVEL_IMMEDIATE"},
                ("clear", "a", 2)),
            ("newrelic", {"id": "i", "issueUrl": "https://nr/i", "state": "CLOSED", "priority": "HIGH", "title": "t"},
                ("clear", "issue i", 2)),
            ("newrelic", {"incident_id": 5, "account_id": 1, "current_state": "acknowledged"},
                ("ack", "incident 1 5", 3)),
            ("graylog", {"event_definition_id": "d", "event_definition_title": "Many errors",
                "event": {"id": "e", "key": "db1", "priority": 3, "alert": True, "message": "Many errors"}},
                ("raise", "d db1", 2)),
            ("graylog", {"event_definition_id": "d", "event_definition_title": "Seen",
                "event": {"id": "e", "alert": False, "group_by_fields": {"host": "db1"}}}, ("note", "d host=db1", 3)),
        ],
    )  # fmt: skip
    def test_what_a_body_does(self, shape: str, body: Any, told: tuple[str, str, int]) -> None:
        assert heard(shape, body) == told

    def test_pagerduty_tells_of_its_incidents_in_version_3(self) -> None:
        incident = {
            "id": "PX1", "title": "DB is slow", "urgency": "high", "priority": {"summary": "P1"},
            "service": {"summary": "billing"}, "html_url": "https://acme.pagerduty.com/incidents/PX1",
        }  # fmt: skip
        kinds = "triggered raise, acknowledged ack, resolved clear, reopened raise, unacknowledged note"
        for kind, action in (told.split() for told in kinds.split(", ")):
            hook = {"event": {"id": kind, "event_type": f"incident.{kind}", "data": incident}}
            assert heard("pagerduty_webhook", hook) == (action, "PX1", 1)

    def test_times_in_milliseconds_are_read_as_such(self) -> None:
        [event] = read("newrelic", {"incident_id": 1, "current_state": "open", "timestamp": 1780905600500})
        assert event.at == datetime(2026, 6, 8, 8, 0, 0, 500000, tzinfo=UTC)
