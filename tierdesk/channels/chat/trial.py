"""Trying a bridge out, for an administrator who sets it up: are we let in there, and as whom?"""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms import Rejected, TooFast, Unreachable, platforms
from tierdesk.core.seal import Unsealable


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether it went well, and what was seen, in a sentence."""

    well: bool
    seen: str


def try_bridge(bridge: Bridge) -> Tried:
    """Ask the platform who we are; nothing is written there."""
    platform = platforms()[bridge.kind]
    try:
        if platform.proves_itself and not bridge.secret:
            return Tried(False, f"Nothing of {platform.name} can be believed: the secret is not set.")
        if not bridge.token:
            return Tried(False, f"{platform.name} cannot be asked: the token is not set.")
        we = platform.greet(bridge)
    except TooFast as slow:
        return Tried(False, f"{platform.name} wants to be asked again in {slow.wait_s:.0f} s.")
    except (Unreachable, Rejected, Unsealable) as trouble:
        return Tried(False, f"{platform.name} does not let us in: {trouble}")
    if we.id and we.id != bridge.bot:
        return Tried(
            False,
            f"{platform.name} knows us as {we.name}, {we.id}; the bridge says “{bridge.bot}”. "
            "Write the former, or the desk hears itself.",
        )
    return Tried(True, f"{platform.name} lets us in as {we.name}.")
