"""Slack: the Events API in, chat.postMessage out. https://docs.slack.dev/authentication/verifying-requests-from-slack"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
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
    Rejected,
    Said,
    TooFast,
)
from tierdesk.channels.chat.platforms.web import SLOW_DOWN_S, ask

WINDOW_S = 300
API = "https://slack.com/api"
ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
LINK = re.compile(r"<((?:https?|mailto|tel):[^|>]+)(?:\|([^>]*))?>")
LATER = {"internal_error", "service_unavailable", "fatal_error", "request_timeout"}


def admit(bridge: Bridge, knock: Knock, at: datetime) -> Admitted:
    """Signed with the app's signing secret over the timestamp and the body, and no older than five minutes."""
    stamp = knock.headers.get("x-slack-request-timestamp", "")
    if not (stamp.isdecimal() and stamp.isascii()) or abs(at.timestamp() - int(stamp)) > WINDOW_S:
        raise NotAdmitted("the timestamp is missing, or outside of the window")
    signed = b"v0:" + stamp.encode() + b":" + knock.body
    mine = "v0=" + hmac.new(bridge.secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(mine.encode(), knock.headers.get("x-slack-signature", "").encode()):
        raise NotAdmitted("the signature is not the app's")
    try:
        said = json.loads(knock.body)
    except ValueError as error:
        raise NotAdmitted("the body is no JSON") from error
    if said.get("type") == "url_verification":
        return Admitted(answer=json.dumps({"challenge": said.get("challenge", "")}).encode())
    if said.get("type") != "event_callback" or not said.get("event_id"):
        return Admitted()
    return Admitted(deliveries=((str(said["event_id"]), knock.body),))


def read(bridge: Bridge, delivery: Any) -> Said | Changed | None:
    event: Mapping[str, Any] = delivery.get("event", {})
    channel = str(event.get("channel", ""))
    if event.get("type") not in ("message", "app_mention"):
        return None
    if event.get("subtype") == "message_changed":
        changed, before = event.get("message", {}), event.get("previous_message", {})
        if changed.get("text") == before.get("text") or _is_a_machine(bridge, changed):
            return None  # a link was unfurled, a thread grew: not what anybody wrote
        return Changed(f"{channel}:{changed['ts']}", _plain(changed.get("text", "")))
    if event.get("subtype") == "message_deleted":
        return Changed(f"{channel}:{event['deleted_ts']}", None)
    if event.get("subtype") not in (None, "file_share", "thread_broadcast") or _is_a_machine(bridge, event):
        return None
    root = event.get("thread_ts") or event["ts"]
    user = str(event["user"])
    return Said(
        f"{channel}:{root}",
        f"{channel}:{event['ts']}",
        user,
        _plain(event.get("text", "")),
        channel,
        user,
        root != event["ts"],
    )


def person(bridge: Bridge, user: str) -> Person:
    said = _call(bridge, "GET", f"users.info?user={user}")
    profile = said.get("user", {}).get("profile", {})
    return Person(profile.get("real_name") or user, profile.get("email", ""))


def post(bridge: Bridge, thread: str, text: str, key: str) -> str:
    """Slack drops no doubles: a crash between posting and noting it shows a line twice."""
    channel, _, root = thread.partition(":")
    words = {"channel": channel, "text": _escaped(text), "unfurl_links": False}
    words |= {"thread_ts": root} if root else {}
    said = _call(bridge, "POST", "chat.postMessage", words)
    return f"{channel}:{said['ts']}"


def _call(bridge: Bridge, method: str, name: str, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Slack answers 200 to nearly everything and says in the body whether it went well."""
    said = ask(method, f"{bridge.url or API}/{name}", bridge.token, words)
    if not said.get("ok"):
        error = str(said.get("error", "no reason given"))
        if error in ("ratelimited", "rate_limited") or error in LATER:
            raise TooFast(SLOW_DOWN_S)
        raise Rejected(f"Slack: {error}")
    return said


def _is_a_machine(bridge: Bridge, message: Mapping[str, Any]) -> bool:
    return bool(message.get("bot_id")) or "user" not in message or message["user"] == bridge.bot


def _plain(text: str) -> str:
    text = LINK.sub(
        lambda link: f"{link[2]} ({link[1]})" if link[2] and link[2] != link[1] else link[1], text
    )
    for written, meant in ESCAPED:
        text = text.replace(written, meant)
    return text


def _escaped(text: str) -> str:
    for written, meant in reversed(ESCAPED):
        text = text.replace(meant, written)
    return text


def greet(bridge: Bridge) -> Ourselves:
    """https://docs.slack.dev/reference/methods/auth.test"""
    said = _call(bridge, "POST", "auth.test", {})
    return Ourselves(f"{said.get('user', '?')} of {said.get('team', '?')}", str(said.get("user_id", "")))


PLATFORM = Platform("Slack", admit, read, person, post, greet)
