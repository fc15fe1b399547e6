"""The generic CTI shape: `newCall`, `answer`, `hangup` as form or JSON.

The shape is Zammad's, whose documentation of it many exchanges and bridges follow: https://docs.zammad.org/en/latest/api/generic-cti/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tierdesk.channels.phone.progress import CallEvent, Happening

HAPPENINGS = {"newCall": Happening.RINGS, "answer": Happening.ANSWERED, "hangup": Happening.ENDED}
LONGEST_ID = 250


class MalformedCall(ValueError):
    """The body is no event of a call; the sentence says what is missing."""


def read(fields: Mapping[str, Sequence[str]]) -> CallEvent:
    """The event that a body's fields tell; each field is a list of its values. Raises MalformedCall."""
    event, call_id, direction = (_first(fields, name) for name in ("event", "callId", "direction"))
    if event not in HAPPENINGS:
        raise MalformedCall(f"“event” is one of {', '.join(HAPPENINGS)}, not “{event[:40]}”.")
    if not call_id or len(call_id) > LONGEST_ID:
        raise MalformedCall(f"“callId” names the call, with at most {LONGEST_ID} characters.")
    if direction not in ("in", "out"):
        raise MalformedCall("“direction” is “in” or “out”.")
    incoming = direction == "in"
    theirs, ours = ("from", "to") if incoming else ("to", "from")
    agents = [*fields.get("user[]", ()), *fields.get("user", ()), *fields.get("answeringNumber", ())]
    return CallEvent(
        call_id=call_id,
        what=HAPPENINGS[event],
        incoming=incoming,
        number=_first(fields, theirs)[:80],
        our_number=_first(fields, ours)[:80],
        agents=tuple(agents[:50]),
        cause=_first(fields, "cause")[:40],
        recording=_link(_first(fields, "recording")),
    )


def _first(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name) or ("",)
    return values[0].strip()


def _link(said: str) -> str:
    """Only an address of the web can be linked to."""
    return said if said.startswith(("https://", "http://")) and len(said) <= 500 else ""
