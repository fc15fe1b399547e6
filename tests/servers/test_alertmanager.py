"""A real Prometheus Alertmanager tells a running desk of trouble, and of its end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.servers.desk import Desk, free_port, until

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("servers")]

BINARY = "prometheus-alertmanager"
CONFIG = """
route: {{receiver: desk, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: desk, {receiver}}}]
"""
RECEIVERS = {
    "webhook": 'webhook_configs: [{{url: "{url}/in/{token}", send_resolved: true}}]',
    "pagerduty": 'pagerduty_configs: [{{url: "{url}/v2/enqueue", routing_key: "{token}"}}]',
    "opsgenie": 'opsgenie_configs: [{{api_url: "{url}/", api_key: "{token}"}}]',
}
LABELS = {"alertname": "DiskAlmostFull", "instance": "db7:9100", "severity": "critical"}
TICKET = """
    SELECT DISTINCT ticket.id, ticket.state, ticket.pending_reason, ticket.traits, ticket.channel
    FROM tickets_ticket AS ticket JOIN alarms_alarm AS alarm ON alarm.ticket_id = ticket.id
    WHERE alarm.class_name = 'DiskAlmostFull'
"""


@pytest.fixture
def speaks() -> str:
    """As whom Alertmanager sends."""
    return "webhook"


@pytest.fixture
def alertmanager(desk: Desk, tmp_path: Path, speaks: str) -> Iterator[str]:
    """The address of an Alertmanager that sends to the desk."""
    if shutil.which(BINARY) is None:
        pytest.skip(f"needs {BINARY}: on Debian, apt install {BINARY}")
    config, url = tmp_path / "alertmanager.yml", f"http://127.0.0.1:{free_port()}"
    receiver = RECEIVERS[speaks].format(url=desk.url, token=desk.token)
    config.write_text(CONFIG.format(receiver=receiver))
    places = [f"--web.listen-address={url.removeprefix('http://')}", "--cluster.listen-address="]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [BINARY, f"--config.file={config}", f"--storage.path={tmp_path / 'state'}", *places],
            stdout=log,
            stderr=log,
        )
    try:
        assert until(lambda: answers(f"{url}/-/ready")), (tmp_path / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_an_alert_becomes_a_ticket_that_waits_once_it_is_resolved_and_goes_on_when_it_is_back(
    desk: Desk, alertmanager: str
) -> None:
    began_at = datetime.now(UTC)
    tell(alertmanager, startsAt=began_at.isoformat())
    ticket = desk.row_soon(TICKET)
    assert (ticket["state"], ticket["channel"]) == ("new", "alarms")
    assert ticket["traits"]["alarm.class"] == "DiskAlmostFull"
    assert ticket["traits"]["alarm.resource"] == "db7:9100"

    tell(alertmanager, startsAt=began_at.isoformat(), endsAt=datetime.now(UTC).isoformat())
    assert until(lambda: desk.rows(TICKET)[0]["pending_reason"] == "evidence"), desk.rows(TICKET)
    assert desk.rows(TICKET)[0]["state"] == "pending"

    tell(alertmanager, startsAt=datetime.now(UTC).isoformat())
    assert until(lambda: desk.rows(TICKET)[0]["state"] == "open"), desk.rows(TICKET)
    assert [row["id"] for row in desk.rows(TICKET)] == [ticket["id"]]


@pytest.mark.parametrize("speaks", ["pagerduty", "opsgenie"])
def test_where_it_speaks_to_another_desk_it_can_be_pointed_at_ours(
    desk: Desk, alertmanager: str, speaks: str
) -> None:
    """Alertmanager takes only the answers that it knows: any other and it would tell us again and again."""
    name, began_at = f"SaidTo{speaks}", datetime.now(UTC).isoformat()
    alarm = "SELECT state, count FROM alarms_alarm WHERE summary LIKE %s AND state = %s"
    tell(alertmanager, name, startsAt=began_at)
    assert desk.row_soon(alarm, f"%{name}%", "open")["count"] == 1
    tell(alertmanager, name, startsAt=began_at, endsAt=datetime.now(UTC).isoformat())
    desk.row_soon(alarm, f"%{name}%", "cleared")
    assert desk.rows("SELECT id FROM alarms_refusal") == []


def tell(alertmanager: str, name: str = LABELS["alertname"], **times: str) -> None:
    labels = LABELS | {"alertname": name}
    alert = {"labels": labels, "annotations": {"summary": "The disk of db7 is almost full"}, **times}
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[alert]).raise_for_status()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
