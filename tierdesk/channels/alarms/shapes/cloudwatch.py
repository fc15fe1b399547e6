"""AWS CloudWatch alarms, as SNS delivers them over HTTPS.

https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
Nothing is believed before its signature is checked (sns.py). What is no CloudWatch alarm but was published to a topic
that somebody pointed at us is an alarm all the same: it is raised and never clears by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from tierdesk.channels.alarms import sns
from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, key_of, said, template
from tierdesk.channels.alarms.reading import (
    AsksPeople,
    MalformedAlarm,
    json_object,
    moment,
    strings,
    within,
    words,
)
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
Subscribe the topic that your CloudWatch alarms notify:

```sh
aws sns subscribe --topic-arn arn:aws:sns:eu-west-1:123456789012:alarms \\
  --protocol https --notification-endpoint https://desk.example.com/in/TOKEN
```

AWS then asks whether the desk wants that. The question appears on the page of the source: confirm it there. Alarms
have no severity: they count as 2 (major), unless the source's `severities` say otherwise for the word `alarm`. The
desk fetches AWS' signing certificate from `sns.REGION.amazonaws.com`; it must reach that host. While it cannot, AWS
is asked to send again (for about an hour, it does), and the page of the source says so.
"""

STATES = {"ALARM": Action.RAISE, "OK": Action.CLEAR, "INSUFFICIENT_DATA": Action.NOTE}
"""Data that is missing says nothing about the trouble: an alarm that stands goes on, none is raised."""

NAMING = ("Id", "Name", "Identifier", "LoadBalancer")

WEIGHTS = SEVERITIES | {"alarm": 2, "ok": 2, "insufficient_data": 3}


def prepare(request: Request) -> None:
    """Have the certificate at hand that the delivery says it is signed with."""
    try:
        envelope = json_object(request.body)
    except MalformedAlarm:
        return
    sns.certificates.fetch(words(envelope, "SigningCertURL"))


@register(
    "cloudwatch",
    title="AWS CloudWatch (SNS)",
    guide=GUIDE,
    marks=("TopicArn MessageId Type",),
    prepare=prepare,
)
def read(request: Request) -> list[AlarmEvent]:
    """The alarm in one delivery of SNS."""
    envelope = json_object(request.body)
    sns.check(envelope)
    kind, topic = words(envelope, "Type"), words(envelope, "TopicArn")
    if kind == "SubscriptionConfirmation":
        raise AsksPeople(f"AWS asks whether this desk wants what is published to {topic}.")
    if kind == "UnsubscribeConfirmation":
        raise AsksPeople(f"AWS says that this desk no longer gets what is published to {topic}.")
    message = _message(envelope)
    if "NewStateValue" in message:
        return [_alarm(envelope, message)]
    return [_published(envelope)]


def _message(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found = orjson.loads(words(envelope, "Message"))
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _alarm(envelope: Mapping[str, Any], alarm: Mapping[str, Any]) -> AlarmEvent:
    state = words(alarm, "NewStateValue")
    if state not in STATES:
        raise MalformedAlarm(f"“NewStateValue” should be one of {', '.join(STATES)}, but is {state}.")
    dimensions = within(alarm, "Trigger.Dimensions")
    labels = {
        words(one, "name"): words(one, "value")
        for one in (dimensions if isinstance(dimensions, list) else ())
    }
    account, region, name = (words(alarm, part) for part in ("AWSAccountId", "Region", "AlarmName"))
    return said(
        action=STATES[state],
        key=words(alarm, "AlarmArn") or f"{account} {region} {name}",
        event_id=words(envelope, "MessageId"),
        severity=state,
        resource=_resource(labels) or name,
        service=words(alarm, "Trigger.Namespace"),
        class_=words(alarm, "Trigger.MetricName"),
        summary=f"{name}: {words(alarm, 'AlarmDescription') or words(alarm, 'NewStateReason')}",
        text=words(alarm, "NewStateReason"),
        labels=labels | strings({"account": account, "region": region, "topic": envelope.get("TopicArn")}),
        at=moment(alarm.get("StateChangeTime")) or moment(envelope.get("Timestamp")),
        severities=WEIGHTS,
    )


def _resource(dimensions: Mapping[str, str]) -> str:
    """The dimension that names something; others tell its kind (StorageType, Currency)."""
    naming = (value for name, value in dimensions.items() if name.endswith(NAMING))
    return next(naming, "") or next(iter(dimensions.values()), "")


def _published(envelope: Mapping[str, Any]) -> AlarmEvent:
    """Some other message of the topic: its subject, or its first line, says what it is about."""
    topic, message = words(envelope, "TopicArn"), words(envelope, "Message")
    summary = words(envelope, "Subject") or message.partition("\n")[0] or topic
    return said(
        action=Action.RAISE,
        key=key_of(resource=topic, name=template(summary), labels={}),
        event_id=words(envelope, "MessageId"),
        resource=topic.rpartition(":")[2],
        summary=summary,
        text=message,
        at=moment(envelope.get("Timestamp")),
    )
