"""Twilio's voice callbacks: `CallSid`, `CallStatus` and the rest, signed with the account's token.

Signature: https://www.twilio.com/docs/usage/security. Statuses: https://www.twilio.com/docs/voice/api/call-resource.
A signature carries no time, so it is no guard against a replay; that a call only moves forward is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tierdesk.channels.phone.cti import LONGEST_ID, MalformedCall
from tierdesk.channels.phone.progress import CallEvent, Happening

UNANSWERED = {"busy": "busy", "no-answer": "noAnswer", "canceled": "cancel", "failed": "congestion"}
"""Twilio's words for a call that nobody took, as the generic shape says them."""


def is_signed(url: str, fields: Mapping[str, Sequence[str]], signature: str, token: str) -> bool:
    """Whether `signature` is the account's: over the address as Twilio knows it and every field, sorted by name."""
    said = url + "".join(
        f"{name}{value}" for name in sorted(fields) for value in sorted(dict.fromkeys(fields[name]))
    )
    wanted = base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest())
    return bool(token) and hmac.compare_digest(wanted, signature.encode())


def answer(then: str) -> str:
    """What Twilio is to do now, as TwiML: go on with the document at `then`.

    Nothing where nobody waits for more; a caller who waits is hung up on by that, so the voice address names one.
    """
    verbs = f"<Redirect>{escape(then)}</Redirect>" if then else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


def read(fields: Mapping[str, Sequence[str]]) -> CallEvent | None:
    """The event that a callback tells; None for one that tells nothing of a call's progress. Raises MalformedCall.

    A leg that `<Dial>` makes names its parent: the parent is the caller's call, its legs are our telephones. A parent
    being `in-progress` means only that Twilio plays something to the caller; one of its legs being so is an answer.
    """
    said = {name: values[0].strip() for name, values in fields.items() if values}
    parent, status = said.get("ParentCallSid", ""), said.get("DialCallStatus") or said.get("CallStatus", "")
    call_id = parent or said.get("CallSid", "")
    if not call_id or len(call_id) > LONGEST_ID:
        raise MalformedCall("A callback names its call by “CallSid”.")
    if said.get("RecordingUrl"):
        return CallEvent(call_id, Happening.RECORDED, recording=said["RecordingUrl"][:500])
    incoming = bool(parent) or said.get("Direction", "inbound") == "inbound"
    what, cause = _what(status, is_leg=bool(parent), dialled="DialCallStatus" in said, incoming=incoming)
    if what is None:
        return None
    theirs, ours = ("From", "To") if incoming else ("To", "From")
    return CallEvent(
        call_id=call_id,
        what=what,
        incoming=incoming,
        number="" if parent else said.get(theirs, "")[:80],
        our_number="" if parent else said.get(ours, "")[:80],
        agents=(said.get("To", "").removeprefix("client:").removeprefix("sip:"),) if parent else (),
        cause=cause,
    )


def _what(status: str, *, is_leg: bool, dialled: bool, incoming: bool) -> tuple[Happening | None, str]:
    if status in ("queued", "initiated", "ringing"):
        return Happening.RINGS, ""
    if status in ("in-progress", "answered"):
        taken = is_leg or dialled or not incoming
        return (Happening.ANSWERED if taken else Happening.RINGS), ""
    if is_leg:
        return (
            None,
            "",
        )  # one of our telephones hung up or was not taken; what became of the call, its parent says
    if status == "completed":
        return Happening.ENDED, "completed" if dialled or not incoming else ""
    if status in UNANSWERED:
        return Happening.ENDED, UNANSWERED[status]
    raise MalformedCall(f"“{status[:40]}” is no status of a call.")
