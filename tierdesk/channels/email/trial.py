"""Trying a mailbox out, for an administrator who sets it up: is mail really fetched there, and does it really leave?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tierdesk.channels.email.collectors import said
from tierdesk.channels.email.compose import Letter, Origin, compose
from tierdesk.channels.email.imap import connected
from tierdesk.channels.email.models import Mailbox, secret
from tierdesk.channels.email.sender import sender

SUBJECT = "A mail to try out {address}"
TEXT = "This mail left the desk by the way that mail of {address} takes. Nothing needs to be done about it."


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether it went well, and what was seen, in a sentence."""

    well: bool
    seen: str


def try_receiving(mailbox: Mailbox) -> Tried:
    """Sign in and open the folder, as whoever fetches does; no mail is touched."""
    if not mailbox.imap_host:
        return Tried(True, "Mail is handed to us; nothing is fetched.")
    try:
        with connected(mailbox) as server:
            server.open()
            waiting = len(server.uids_from(1))
    except Exception as trouble:
        return Tried(False, f"Receiving: {said(trouble)}")
    return Tried(True, f"Receiving: “{mailbox.folder}” opens, with {waiting} mails in it.")


def try_sending(mailbox: Mailbox, *, to: str, at: datetime) -> Tried:
    """Send a mail to whoever tries it out."""
    letter = Letter(
        ticket=0,
        serial=f"trial-{mailbox.pk}-{at:%Y%m%d%H%M%S%f}",
        mailbox=mailbox.address,
        from_name="",
        subject=SUBJECT.format(address=mailbox.address),
        text=TEXT.format(address=mailbox.address),
        at=at,
        origin=Origin.NOTIFICATION,
        to=(to,),
    )
    try:
        sender(mailbox).send(compose(letter, recipient=to, secret=secret()))
    except Exception as trouble:
        return Tried(False, f"Sending: {said(trouble)}")
    return Tried(True, f"Sending: a mail to {to} has left; look whether it arrives.")
