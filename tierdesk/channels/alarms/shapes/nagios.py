"""Nagios, Icinga 2, Naemon, Checkmk: what our small command (senders/tierdesk-notify) sends for a notification.

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html
An alarm is a service on a host, or the host itself. Flapping and downtime are hints about its state, not trouble.
"""

from __future__ import annotations

from collections.abc import Mapping

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, strings
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
Put the command [tierdesk-notify](tierdesk-notify) where your notification scripts are (it needs Python 3 and nothing
else), and the address into a file that only the monitoring may read:

```sh
install -m 755 tierdesk-notify /usr/local/bin/
install -m 640 -g nagios /dev/null /etc/tierdesk-notify.conf
echo 'https://desk.example.com/in/TOKEN' > /etc/tierdesk-notify.conf
```

**Nagios, Naemon** (with `enable_environment_macros=1`):

```
define command {
    command_name  notify-host-by-tierdesk
    command_line  /usr/local/bin/tierdesk-notify --nagios
}
define command {
    command_name  notify-service-by-tierdesk
    command_line  /usr/local/bin/tierdesk-notify --nagios
}
define contact {
    contact_name                   tierdesk
    host_notification_commands     notify-host-by-tierdesk
    service_notification_commands  notify-service-by-tierdesk
    host_notification_period       24x7
    service_notification_period    24x7
    host_notification_options      d,u,r,f,s
    service_notification_options   w,u,c,r,f,s
}
```

**Icinga 2**:

```
object NotificationCommand "tierdesk" {
  command = [ "/usr/local/bin/tierdesk-notify", "--icinga" ]
  env = {
    TYPE = "$notification.type$"
    HOST = "$host.name$"
    ADDRESS = "$address$"
    SERVICE = "$service.name$"
    STATE = "$service.state$"
    OUTPUT = "$service.output$"
    HOST_STATE = "$host.state$"
    HOST_OUTPUT = "$host.output$"
    AUTHOR = "$notification.author$"
    COMMENT = "$notification.comment$"
  }
}
object User "tierdesk" { }
apply Notification "tierdesk-host" to Host {
  command = "tierdesk"
  users = [ "tierdesk" ]
  interval = 0
  assign where true
}
apply Notification "tierdesk-service" to Service {
  command = "tierdesk"
  users = [ "tierdesk" ]
  interval = 0
  assign where true
}
```
"""

TYPES = {
    "PROBLEM": Action.RAISE,
    "RECOVERY": Action.CLEAR,
    "ACKNOWLEDGEMENT": Action.ACK,
}
HINTS = ("FLAPPING", "DOWNTIME", "CUSTOM")
WEIGHTS = SEVERITIES | {"critical": 2, "unreachable": 2, "unknown": 3, "ok": 2, "up": 1}
"""A service that is critical is less than a host that is down."""


@register("nagios", title="Nagios, Icinga 2", guide=GUIDE, marks=("type host state output",))
def read(request: Request) -> list[AlarmEvent]:
    """The one notification that the command sends."""
    root = strings(json_object(request.body))
    kind, host, service = root.get("type", "").upper(), root.get("host", ""), root.get("service", "")
    if not host:
        raise MalformedAlarm("The notification names no “host”.")
    if kind not in TYPES and not kind.startswith(HINTS):
        raise MalformedAlarm(
            f"“type” should be PROBLEM, RECOVERY, ACKNOWLEDGEMENT …, but is {kind or 'missing'}."
        )
    state, output = root.get("state", ""), root.get("output", "")
    return [
        said(
            action=TYPES.get(kind, Action.NOTE),
            key=f"{host}!{service}" if service else host,
            severity=state,
            resource=host,
            class_=service or "host",
            summary=f"{service or host} is {state}: {output}" if output else f"{service or host} is {state}",
            text=_text(root),
            labels={name: root[name] for name in ("address", "problem_id", "source") if root.get(name)},
            at=moment(root.get("time")),
            repeats=True,
            severities=WEIGHTS,
        )
    ]


def _text(root: Mapping[str, str]) -> str:
    comment, author = root.get("comment"), root.get("author")
    remark = f"{author}: {comment}" if comment and author else comment
    return "\n".join(filter(None, (root.get("output"), root.get("long_output"), remark)))
