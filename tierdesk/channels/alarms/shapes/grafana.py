"""Grafana alerting, webhook contact point: Alertmanager's alerts with values and links to dashboards.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
A fingerprint is unique only within a Grafana organisation, so the key carries the organisation too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.reading import json_object, objects, plain, strings
from tierdesk.channels.alarms.shapes import register
from tierdesk.channels.alarms.shapes.alertmanager import alert_event, fingerprint, left_out

LINKS = {"dashboardURL": "Dashboard", "panelURL": "Panel", "silenceURL": "Silence", "imageURL": "Image"}


@register("grafana", busy_status=503)
def read(body: bytes, headers: Mapping[str, str]) -> list[AlarmEvent]:
    """The alerts of one notification, and a note when Grafana left some out."""
    del headers
    root = json_object(body)
    return [*(_event(root, alert) for alert in objects(root.get("alerts"), of="alerts")), *left_out(root)]


def _event(root: Mapping[str, Any], alert: Mapping[str, Any]) -> AlarmEvent:
    organisation = plain(root.get("orgId") or alert.get("orgId"))
    return alert_event(
        root,
        alert,
        key=f"{organisation}:{fingerprint(alert, strings(alert.get('labels')))}",
        links={text: plain(alert.get(field)) for field, text in LINKS.items()},
    )
