"""Pages by chat: to a room or a person of a platform over a bridge that is the desk's own (`pages_agents`).

An address is `BRIDGE/ROOM`: the key of the bridge, and what the platform calls the room.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms import Rejected, TooFast, Unreachable, platforms
from tierdesk.channels.pager.outgoing import NotTaken, Outgoing, Refused
from tierdesk.core.seal import Unsealable


def bridges() -> Sequence[Bridge]:
    """Those that agents may be paged over."""
    return list(Bridge.objects.filter(pages_agents=True, is_active=True).order_by("name"))


def is_set_up() -> bool:
    return bool(bridges())


def send(message: Outgoing) -> None:
    """Post it into the room. Raises NotTaken or Refused."""
    key, _slash, room = message.address.partition("/")
    bridge = next((one for one in bridges() if one.key == key), None)
    if bridge is None or bridge.kind not in platforms():
        raise Refused("nobody is paged over this bridge any more")
    try:
        platforms()[bridge.kind].post(bridge, room, message.text, f"tierdesk-{message.key}")
    except (TooFast, Unreachable, Unsealable) as trouble:
        raise NotTaken(str(trouble)) from trouble
    except (Rejected, KeyError) as refusal:
        raise Refused(f"the chat does not take it: {refusal}") from refusal
