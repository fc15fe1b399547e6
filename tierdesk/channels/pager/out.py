"""The ways out, by their names. Mail has none here: it goes through the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tierdesk.channels.pager import chat, push, sms, voice, webhook
from tierdesk.channels.pager.outgoing import Outgoing, of_code
from tierdesk.response.paging.ways import CHAT, PUSH, SMS, VOICE, WEBHOOK, Way


@dataclass(frozen=True, slots=True)
class WayOut:
    """`send` hands a message over and raises NotTaken or Refused; `is_set_up`: whether there is anybody to take it."""

    send: Callable[[Outgoing], None]
    is_set_up: Callable[[], bool]


OUT: Final[Mapping[str, WayOut]] = {
    PUSH: WayOut(push.send, push.is_set_up),
    CHAT: WayOut(chat.send, chat.is_set_up),
    WEBHOOK: WayOut(webhook.send, webhook.is_set_up),
    SMS: WayOut(sms.send, sms.is_set_up),
    VOICE: WayOut(voice.send, voice.is_set_up),
}


def send_code(way: Way, code: str) -> None:
    """To the address that is to be proved. Raises NotTaken or Refused."""
    OUT[way.kind].send(of_code(way.agent, way.address, code))
