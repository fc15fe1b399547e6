"""Zabbix, through our media type (senders/zabbix_media_type.yaml), which sends these macros as JSON.

https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location
An alarm is a trigger, which is a trouble of one host; each time it comes back Zabbix gives it an event of its own,
whose id its recovery bears as well. A trigger that makes several problems at once is over here with the first that
recovers. Times are in the zone of the Zabbix server and name none, so arrival orders the events.
A macro that Zabbix could not expand arrives as it was written and counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, plain
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
1. Import the media type [zabbix_media_type.yaml](zabbix_media_type.yaml) (Zabbix 6.0 or newer): *Alerts → Media types →
   Import*. Set its parameter `desk_url` to `https://desk.example.com/in/TOKEN`.
2. Set the global macro `{$ZABBIX.URL}` to the address of your Zabbix, so that alarms lead back to it.
3. Make a user for it, who may read the host groups that you want to hear of, and give it the medium *Tierdesk*
   (anything in *Send to*). It should be nobody's own: Zabbix tells nobody of what they acknowledge themselves.
4. Let a trigger action send the operations for problems, recoveries and updates to that user.
"""

WEIGHTS = SEVERITIES | {"0": 5, "1": 5, "2": 3, "3": 3, "4": 2, "5": 1}
"""`{EVENT.NSEVERITY}`: not classified, information, warning, average, high, disaster."""

IN_WORDS = re.compile(r"\{[#$]?[A-Z0-9_.]+(:[^{}]*)?\}")
"""A macro within the name of a trigger, where it stands for what differs from one host or disk to the next."""

UNEXPANDED = re.compile(r"\{\$?[A-Z0-9_.:#]+\}(\s\{[A-Z0-9_.]+\})*")


@register("zabbix", title="Zabbix", guide=GUIDE, marks=("event_id nseverity",))
def read(request: Request) -> list[AlarmEvent]:
    """The one event that the media type sends."""
    root = {name: _expanded(value) for name, value in json_object(request.body).items()}
    if not root.get("event_id"):
        raise MalformedAlarm("The event has no “event_id”: is it sent by our media type?")
    return [
        said(
            action=_action(root),
            key=root.get("trigger_id") or root["event_id"],
            severity=root.get("nseverity", ""),
            resource=root.get("host", ""),
            class_=IN_WORDS.sub("…", root.get("trigger", "")) or root.get("name", ""),
            summary=root.get("name", ""),
            text="\n".join(filter(None, (root.get("opdata"), root.get("message"), root.get("description")))),
            labels=_tags(root)
            | {name: root[name] for name in ("host_ip", "event_id", "update") if root.get(name)},
            links=[Link("Zabbix", _problem_page(root))],
            severities=WEIGHTS,
        )
    ]


def _action(root: Mapping[str, str]) -> Action:
    """A recovery wins over what was said with it; an update acknowledges if its actions do."""
    if root.get("value") == "0":
        return Action.CLEAR
    if root.get("update_status") != "1":
        return Action.RAISE
    did = root.get("update", "")
    return Action.ACK if "acknowledged" in did and "unacknowledged" not in did else Action.NOTE


def _expanded(value: Any) -> str:
    text = plain(value).strip()
    return "" if UNEXPANDED.fullmatch(text) or text.startswith("*UNKNOWN*") else text


def _tags(root: Mapping[str, str]) -> dict[str, str]:
    try:
        tags = orjson.loads(root.get("tags", ""))
    except orjson.JSONDecodeError:
        return {}
    found = (tag for tag in (tags if isinstance(tags, list) else ()) if isinstance(tag, dict))
    return {plain(tag.get("tag")): plain(tag.get("value")) for tag in found}


def _problem_page(root: Mapping[str, str]) -> str:
    base = root.get("url", "").rstrip("/")
    return (
        f"{base}/tr_events.php?triggerid={root.get('trigger_id', '')}&eventid={root['event_id']}"
        if base
        else ""
    )
