"""Matrix: an application service. The homeserver pushes transactions to us, we speak its client API as the service.

https://spec.matrix.org/latest/application-service-api/
"""

from __future__ import annotations

import hmac
import json
import urllib.parse
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tierdesk.channels.chat.platforms import (
    Admitted,
    Bridge,
    Changed,
    Knock,
    NotAdmitted,
    Ourselves,
    Person,
    Platform,
    Said,
)
from tierdesk.channels.chat.platforms.web import ask

TRANSACTIONS = "_matrix/app/v1/transactions/"


def admit(bridge: Bridge, knock: Knock, at: datetime) -> Admitted:
    """The homeserver shows its token. It sends again what was not acknowledged, however old: each event counts once."""
    token = knock.headers.get("authorization", "").removeprefix("Bearer ")
    if not bridge.secret or not hmac.compare_digest(token.encode(), bridge.secret.encode()):
        raise NotAdmitted("the token is not the homeserver's")
    if knock.method != "PUT" or not knock.path.startswith(TRANSACTIONS):
        return Admitted()
    try:
        events = json.loads(knock.body)["events"]
        return Admitted(deliveries=tuple((e["event_id"], json.dumps(e).encode()) for e in events))
    except (ValueError, KeyError, TypeError) as error:
        raise NotAdmitted("this is no transaction") from error


def read(bridge: Bridge, delivery: Any) -> Said | Changed | None:
    room, content = str(delivery.get("room_id", "")), delivery.get("content", {})
    if delivery.get("sender") == bridge.bot:
        return None
    if delivery.get("type") == "m.room.redaction":
        target = delivery.get("redacts") or content.get("redacts", "")
        return Changed(f"{room}|{target}", None)
    if delivery.get("type") != "m.room.message" or not content.get("body"):
        return None
    relation: Mapping[str, Any] = content.get("m.relates_to", {})
    if relation.get("rel_type") == "m.replace":
        fresh = content.get("m.new_content", {})
        return Changed(f"{room}|{relation['event_id']}", str(fresh.get("body", "")))
    event = delivery["event_id"]
    root = relation["event_id"] if relation.get("rel_type") == "m.thread" else event
    user, text = str(delivery["sender"]), str(content["body"])
    return Said(f"{room}|{root}", f"{room}|{event}", user, text, room, user, root != event)


def person(bridge: Bridge, user: str) -> Person:
    said = _call(bridge, "GET", f"profile/{_safe(user)}")
    return Person(said.get("displayname") or user)


def post(bridge: Bridge, thread: str, text: str, key: str) -> str:
    """The key is the transaction's id: the homeserver answers a second try with the event of the first."""
    room, _, root = thread.partition("|")
    relation = {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": root},
    }
    words = {"msgtype": "m.text", "body": text} | ({"m.relates_to": relation} if root else {})
    said = _call(bridge, "PUT", f"rooms/{_safe(room)}/send/m.room.message/{_safe(key)}", words)
    return f"{room}|{said['event_id']}"


def _call(bridge: Bridge, method: str, path: str, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return ask(method, f"{bridge.url}/_matrix/client/v3/{path}", bridge.token, words)


def _safe(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def greet(bridge: Bridge) -> Ourselves:
    """https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3accountwhoami"""
    user = str(_call(bridge, "GET", "account/whoami").get("user_id", ""))
    return Ourselves(user or "?", user)


PLATFORM = Platform("Matrix", admit, read, person, post, greet)
