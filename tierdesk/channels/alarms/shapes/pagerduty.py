"""PagerDuty Events API v2, which many tools can already speak: point them at our address instead.

https://developer.pagerduty.com/docs/events-api-v2-overview
Acknowledge and resolve carry no time, so arrival orders the events of an alarm; `timestamp` only tells when
it began. The routing key is the source's token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tierdesk.channels.alarms.doors import body_field, door
from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, key_of, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, plain, strings
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
Whatever speaks the PagerDuty Events API v2 and lets you set its address: the address is
`https://desk.example.com/v2/enqueue` (changes go to `/v2/change/enqueue`), the integration or routing key is `TOKEN`.

```yaml
# alertmanager.yml
receivers:
  - name: desk
    pagerduty_configs:
      - url: https://desk.example.com/v2/enqueue
        routing_key: TOKEN
```

Its own webhook (shape `alertmanager`) tells of each alarm by itself, this of a group as one: prefer
that where you can choose.

```sh
curl https://desk.example.com/v2/enqueue -H 'Content-Type: application/json' -d '{
  "routing_key": "TOKEN", "event_action": "trigger", "dedup_key": "db1/disk",
  "payload": {"summary": "/var 96 % on db1", "source": "db1", "severity": "critical"}}'
```

`acknowledge` and `resolve` with the same `dedup_key` follow.
"""

ACTIONS = {"trigger": Action.RAISE, "acknowledge": Action.ACK, "resolve": Action.CLEAR}
CHANGE = "change/"


def answer(events: Sequence[AlarmEvent]) -> dict[str, Any]:
    """The words PagerDuty's clients look for; the key is how they resolve later. A change has none."""
    if events[0].action is Action.NOTE:
        return {"status": "success", "message": "Change event processed"}
    return {"status": "success", "message": "Event processed", "dedup_key": events[0].key}


def refuse(sentence: str) -> dict[str, Any]:
    return {"status": "invalid event", "message": "Event object is invalid", "errors": [sentence]}


@register(
    "pagerduty",
    title="PagerDuty Events API v2",
    guide=GUIDE,
    marks=("routing_key payload.summary",),
    answer=answer,
    refuse=refuse,
    doors=(door(f"/v2/(?P<rest>{CHANGE})?enqueue/?", body_field("routing_key"), body_first=True),),
)
def read(request: Request) -> list[AlarmEvent]:
    """The one event of an `enqueue` request; a change event (no `event_action`) is a note."""
    root = json_object(request.body)
    action = Action.NOTE if request.path == CHANGE else _action(root)
    key = plain(root.get("dedup_key"))
    about = root.get("payload")
    about = about if isinstance(about, dict) else {}
    if action in (Action.ACK, Action.CLEAR) and not key:
        raise MalformedAlarm(f"“{root['event_action']}” needs the “dedup_key” of the alarm it is about.")
    if action in (Action.RAISE, Action.NOTE) and not about.get("summary"):
        raise MalformedAlarm("The event has no “payload.summary”.")
    return [_event(root, about, action, key)]


def _action(root: Mapping[str, Any]) -> Action:
    word = root.get("event_action")
    if word is None and isinstance(root.get("payload"), dict):
        return Action.NOTE
    if not isinstance(word, str) or word not in ACTIONS:
        raise MalformedAlarm(
            f"“event_action” should be trigger, acknowledge or resolve, but is {plain(word) or 'missing'}."
        )
    return ACTIONS[word]


def _event(root: Mapping[str, Any], about: Mapping[str, Any], action: Action, key: str) -> AlarmEvent:
    """Without a key, `component` and `group` tell two alarms of one host apart."""
    source, summary, class_ = (plain(about.get(name)) for name in ("source", "summary", "class"))
    parts = {name: plain(about.get(name)) for name in ("component", "group") if about.get(name)}
    return said(
        action=action,
        key=key or key_of(resource=source, name=class_ or template(summary), labels=parts),
        severity=plain(about.get("severity")),
        resource=source or plain(root.get("client")),
        service=parts.get("component", ""),
        class_=class_,
        group=parts.get("group", ""),
        summary=summary or key,
        labels={**strings(about.get("custom_details")), **parts},
        links=_links(root),
        started_at=moment(about.get("timestamp")),
    )


def _links(root: Mapping[str, Any]) -> list[Link]:
    links = [Link(plain(root.get("client")) or "Source", plain(root.get("client_url")))]
    for listed, address, text in (("links", "href", "text"), ("images", "src", "alt")):
        entries = root.get(listed)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                href = plain(entry.get(address))
                links.append(Link(plain(entry.get(text)) or href, href))
    return links
