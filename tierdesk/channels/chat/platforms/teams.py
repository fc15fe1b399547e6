"""Microsoft Teams: a bot. Activities in, signed by the Bot Connector; replies out through its service.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from __future__ import annotations

import html
import json
import re
import time
import urllib.parse
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
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
    Unreachable,
)
from tierdesk.channels.chat.platforms.jwt import NotSigned, Unverified
from tierdesk.channels.chat.platforms.web import ask

ISSUER = "https://api.botframework.com"
KEYS = "https://login.botframework.com/v1"
TOKENS = "https://login.microsoftonline.com/botframework.com"
SERVICE = "https://smba.trafficmanager.net/teams"
SKEW_S, WINDOW_S = 300, 600
HOUR_S = 3600
MENTION = re.compile(r"<at>.*?</at>", re.DOTALL)


def admit(bridge: Bridge, knock: Knock, at: datetime) -> Admitted:
    """The connector's token, for our bot and not expired; the activity's own time is in the window.

    The token does not cover the body, so the window and the activity's id are what a replay meets.
    """
    try:
        token = Unverified.of(knock.headers.get("authorization", "").removeprefix("Bearer "))
        claims = token.verified_by(_key(bridge, token.kid, int(at.timestamp() // HOUR_S)))
        activity = json.loads(knock.body)
        sent = datetime.fromisoformat(activity["timestamp"])
        key = f"{activity['conversation']['id']}:{activity['type']}:{activity['id']}:{activity['timestamp']}"
        aged = abs((at - sent).total_seconds())
    except (NotSigned, Unreachable, Rejected, TooFast) as error:
        raise NotAdmitted(str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotAdmitted("this is no activity") from error
    _demand(claims.get("iss") == ISSUER, "the issuer is not the connector")
    _demand(bool(bridge.bot) and claims.get("aud") == bridge.bot, "it is for another bot")
    now = at.timestamp()
    _demand(
        float(claims.get("nbf", 0)) - SKEW_S <= now <= float(claims.get("exp", 0)) + SKEW_S,
        "the token is not valid now",
    )
    _demand(claims.get("serviceurl") == activity.get("serviceUrl"), "the activity names another service")
    _demand(aged <= WINDOW_S, "the activity is outside of the window")
    return Admitted(deliveries=((key[-100:], knock.body),))


def read(bridge: Bridge, delivery: Any) -> Said | Changed | None:
    conversation, kind = str(delivery["conversation"]["id"]), delivery.get("type")
    room = conversation.partition(";")[0]
    sender = str(delivery.get("from", {}).get("id", ""))
    if sender == f"28:{bridge.bot}":
        return None
    message = f"{room}:{delivery['id']}"
    if kind == "messageDelete":
        return Changed(message, None)
    text = html.unescape(MENTION.sub("", delivery.get("text") or "")).strip()
    if kind == "messageUpdate":
        return Changed(message, text)
    if kind != "message":
        return None
    in_thread = conversation != room and conversation.rpartition("=")[2] != str(delivery["id"])
    return Said(conversation, message, f"{conversation}|{sender}", text, room, sender, in_thread)


def person(bridge: Bridge, user: str) -> Person:
    conversation, _, member = user.partition("|")
    said = _call(bridge, "GET", f"{_safe(conversation)}/members/{_safe(member)}")
    return Person(said.get("name") or member, said.get("email") or said.get("userPrincipalName", ""))


def post(bridge: Bridge, thread: str, text: str, key: str) -> str:
    """The connector drops no doubles: a crash between posting and noting it shows a line twice."""
    words = {"type": "message", "text": text, "textFormat": "plain"}
    said = _call(bridge, "POST", f"{_safe(thread)}/activities", words)
    return f"{thread.partition(';')[0]}:{said['id']}"


def _call(bridge: Bridge, method: str, path: str, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
    token = _token(bridge.url, bridge.bot, bridge.token, int(time.monotonic() // (HOUR_S // 2)))
    return ask(method, f"{bridge.url or SERVICE}/v3/conversations/{path}", token, words)


@lru_cache(maxsize=64)
def _token(url: str, bot: str, password: str, _half_hour: int) -> str:
    """What we show to the connector: good for an hour, fetched anew every half."""
    words = {
        "grant_type": "client_credentials",
        "client_id": bot,
        "client_secret": password,
        "scope": f"{ISSUER}/.default",
    }
    return str(ask("POST", f"{url or TOKENS}/oauth2/v2.0/token", words=words, as_form=True)["access_token"])


def _key(bridge: Bridge, kid: str, hour: int) -> Mapping[str, Any]:
    for key in _keys(bridge.url or KEYS, hour)["keys"]:
        if key.get("kid") == kid and key.get("kty") == "RSA":
            return dict(key)
    raise NotSigned("no key of the connector's has this name")


@lru_cache(maxsize=64)
def _keys(url: str, _hour: int) -> Mapping[str, Any]:
    """The connector's public keys, fetched anew every hour: they are rolled."""
    return ask("GET", f"{url}/.well-known/keys")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotAdmitted(otherwise)


def _safe(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def greet(bridge: Bridge) -> Ourselves:
    """The connector says no name; that it gives a token for the app is all there is to see."""
    _token.cache_clear()
    _token(bridge.url, bridge.bot, bridge.token, int(time.monotonic() // (HOUR_S // 2)))
    return Ourselves(f"the app {bridge.bot}")


PLATFORM = Platform("Microsoft Teams", admit, read, person, post, greet, proves_itself=False)
