"""Pages by a call that reads them out and takes a key: 1 acknowledges, 2 passes on.

Calls: https://www.twilio.com/docs/voice/api/call-resource. What is said: https://www.twilio.com/docs/voice/twiml.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from django.conf import settings
from django.utils.translation import gettext as _

from tierdesk.channels.pager import provider
from tierdesk.channels.pager.outgoing import Outgoing, Refused, link, values
from tierdesk.response.paging.pages import Page

RINGS_S = 30
"""Shorter than most answering machines wait."""

WAITS_FOR_A_KEY_S = 10
ACKNOWLEDGE, PASS_ON = "1", "2"
NOT_TAKEN = {
    "busy": "the line was busy",
    "no-answer": "nobody took the call",
    "canceled": "the call was cancelled",
    "failed": "the number could not be called",
}
"""Of a call's last statuses, those that say that it reached nobody."""


def is_set_up() -> bool:
    return bool(provider.has_account() and settings.VOICE_FROM)


def send(message: Outgoing) -> None:
    """Let the provider call. Raises NotTaken or Refused."""
    if not is_set_up():
        raise Refused("no provider of calls is set up")
    fields = {"To": message.address, "From": settings.VOICE_FROM, "Timeout": str(RINGS_S)}
    if message.code:
        spelled = ", ".join(message.code)
        fields["Twiml"] = say(*[_("Your code for Tierdesk is: %s.") % spelled] * 3)
    else:
        address = f"{link(message.first)}voice/"
        fields |= {"Url": address, "StatusCallback": f"{address}end/"}
    provider.hand_over("Calls", fields)


def say(*sentences: str) -> str:
    """TwiML that says these, and hangs up."""
    root = Xml.Element("Response")
    _say(root, sentences)
    return _written(root)


def message(text: str) -> str:
    """TwiML that answers an SMS with this."""
    root = Xml.Element("Response")
    Xml.SubElement(root, "Message").text = text
    return _written(root)


def ask(pages: Sequence[Page], *, key_to: str, before: str = "") -> str:
    """TwiML that tells of pages and waits for a key, which goes to the address `key_to`."""
    root = Xml.Element("Response")
    gather = Xml.SubElement(
        root, "Gather", numDigits="1", timeout=str(WAITS_FOR_A_KEY_S), action=key_to, method="POST"
    )
    choice = _("Press 1 to acknowledge, 2 to pass it on.")
    told = [*_told(pages), choice]
    _say(gather, [*([before] if before else []), *told, *told])
    _say(root, [_("No key was pressed. Goodbye.")])
    return _written(root)


def _told(pages: Sequence[Page]) -> list[str]:
    told = values(pages[0])
    this = _("%(client)s, priority %(priority)s: %(short)s.") % told
    if len(pages) == 1:
        return [_("This is the service desk. You are paged."), this]
    many = _("This is the service desk. You have %s pages. The gravest is:") % len(pages)
    return [many, this]


def _say(parent: Xml.Element, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        Xml.SubElement(parent, "Say").text = "".join(one for one in sentence if one.isprintable())


def _written(root: Xml.Element) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>{Xml.tostring(root, encoding="unicode")}'
