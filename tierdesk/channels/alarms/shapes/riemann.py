"""Riemann: its events, one or a list, as a stream posts them in JSON.

https://riemann.io/concepts.html
Host and service name an event; its state is free text, of which `ok` is the good one. An event that nothing renewed in
its time to live is `expired`: silence, which is trouble.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_value, moment, objects, plain, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
```clojure
; riemann.config
(require '[clj-http.client :as http] '[cheshire.core :as json])
(streams
  (where (not (state nil))
    (changed-state {:init "ok"}
      (fn [event]
        (http/post "https://desk.example.com/in/TOKEN"
          {:content-type :json :body (json/generate-string event)})))))
```
"""

WEIGHTS = SEVERITIES | {"ok": 3, "expired": 3}


@register("riemann", title="Riemann", guide=GUIDE, marks=("host service state metric",))
def read(request: Request) -> list[AlarmEvent]:
    """The events of one request."""
    found = json_value(request.body)
    return [_event(event) for event in objects([found] if isinstance(found, dict) else found, of="events")]


def _event(event: Mapping[str, Any]) -> AlarmEvent:
    host, service, state = (words(event, name) for name in ("host", "service", "state"))
    if not service or not state:
        raise MalformedAlarm("An event needs its “service” and its “state”.")
    tags = event.get("tags")
    return said(
        action=Action.CLEAR if state.lower() == "ok" else Action.RAISE,
        key=f"{host} {service}",
        severity=state,
        resource=host,
        class_=service,
        summary=words(event, "description") or f"{service} is {state}",
        labels={"metric": words(event, "metric")}
        | ({"tags": ", ".join(map(plain, tags))} if isinstance(tags, list) and tags else {}),
        at=moment(event.get("time")),
        repeats=True,
        severities=WEIGHTS,
    )
