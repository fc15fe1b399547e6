"""Mattermost: an outgoing webhook in, the REST API v4 out. https://developers.mattermost.com/integrate/webhooks/outgoing/

A webhook does not say which thread a post is in, so the post is asked for. It does not tell of edits either.
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

WINDOW_S = 300


def admit(bridge: Bridge, knock: Knock, at: datetime) -> Admitted:
    """The token of the webhook in the body, and a timestamp within five minutes. Each post counts once."""
    try:
        said = _body(knock)
        token, sent, post_id = str(said["token"]), float(said.get("timestamp") or 0), str(said["post_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotAdmitted("this is no outgoing webhook") from error
    if not bridge.secret or not hmac.compare_digest(token.encode(), bridge.secret.encode()):
        raise NotAdmitted("the token is not the webhook's")
    seconds = sent / 1000 if sent > 1e11 else sent
    if abs(at.timestamp() - seconds) > WINDOW_S:
        raise NotAdmitted("the timestamp is outside of the window")
    kept = {name: value for name, value in said.items() if name != "token"}
    return Admitted(deliveries=((post_id, json.dumps(kept).encode()),))


def read(bridge: Bridge, delivery: Any) -> Said | Changed | None:
    channel = str(delivery.get("channel_id", ""))
    if delivery.get("user_id") == bridge.bot:
        return None
    post_id = str(delivery["post_id"])
    known = ask("GET", f"{bridge.url}/api/v4/posts/{_safe(post_id)}", bridge.token)
    root = known.get("root_id") or post_id
    user = str(delivery["user_id"])
    return Said(
        f"{channel}:{root}",
        f"{channel}:{post_id}",
        user,
        str(delivery.get("text", "")),
        channel,
        user,
        root != post_id,
    )


def person(bridge: Bridge, user: str) -> Person:
    said = ask("GET", f"{bridge.url}/api/v4/users/{_safe(user)}", bridge.token)
    name = f"{said.get('first_name', '')} {said.get('last_name', '')}".strip()
    return Person(name or said.get("username", user), said.get("email", ""))


def post(bridge: Bridge, thread: str, text: str, key: str) -> str:
    """`pending_post_id` is Mattermost's own guard against doubles: `user:key`."""
    channel, _, root = thread.partition(":")
    words = {
        "channel_id": channel,
        "root_id": root,
        "message": text,
        "pending_post_id": f"{bridge.bot}:{key}",
    }
    said = ask("POST", f"{bridge.url}/api/v4/posts", bridge.token, words)
    return f"{channel}:{said['id']}"


def _body(knock: Knock) -> Mapping[str, Any]:
    if "json" in knock.headers.get("content-type", ""):
        said = json.loads(knock.body)
        if not isinstance(said, dict):
            raise ValueError("no object")
        return said
    return dict(urllib.parse.parse_qsl(knock.body.decode()))


def _safe(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def greet(bridge: Bridge) -> Ourselves:
    said = ask("GET", f"{bridge.url}/api/v4/users/me", bridge.token)
    return Ourselves(str(said.get("username", "?")), str(said.get("id", "")))


PLATFORM = Platform("Mattermost", admit, read, person, post, greet)
