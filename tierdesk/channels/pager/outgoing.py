"""What goes out to one person on one way: pages, or the code that proves an address to be theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from tierdesk.directory.staff.models import Agent
from tierdesk.response.notifications.words import PAGE_SMS, PAGES_SMS, fill
from tierdesk.response.paging.pages import Page

LONGEST_NAME = 60
"""Letters of a client's name beside others; six lines fit into the 1600 that a provider of SMS takes."""

LONGEST_LIST = 6
"""Tickets that a short message names; the link shows them all."""


class NotTaken(OSError):
    """The way out could not be asked, or asks us to come again."""


class Refused(ValueError):
    """It will never take this, or there is no way out."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. `key` is the same at every try with the same pages, so that a receiver can drop a double."""

    agent: Agent
    address: str
    key: str
    text: str
    pages: Sequence[Page] = ()
    code: str = ""

    @property
    def first(self) -> Page:
        return self.pages[0]


def of_pages(pages: Sequence[Page]) -> Outgoing:
    """Pages to one person on one way, the gravest first; the link of that one opens them all."""
    first = pages[0]
    numbers = " ".join(str(page.pk) for page in pages)
    key = f"page-{hashlib.sha256(numbers.encode()).hexdigest()[:20]}"
    return Outgoing(first.agent, first.address, key, in_short(pages), pages)


def of_code(agent: Agent, address: str, code: str) -> Outgoing:
    return Outgoing(
        agent, address, f"code-{code}", _("%(code)s is your code for Tierdesk.") % {"code": code}, code=code
    )


def in_short(pages: Sequence[Page]) -> str:
    """What fits into an SMS."""
    if len(pages) == 1:
        return fill(PAGE_SMS, values(pages[0]))
    return fill(PAGES_SMS, {"count": len(pages), "list": listed(pages), "link": link(pages[0])})


def listed(pages: Sequence[Page], most: int = LONGEST_LIST) -> str:
    """One line of each."""
    lines = [
        f"{told['number']} P{told['priority']} {told['client'][:LONGEST_NAME]}: {told['short']}"
        for told in map(values, pages[:most])
    ]
    if len(pages) > most:
        lines.append(_("and %s more") % (len(pages) - most))
    return "\n".join(lines)


def link(page: Page) -> str:
    """Where its person acknowledges, without signing in."""
    return f"{settings.BASE_URL}/pages/{page.token}/"


def values(page: Page) -> dict[str, Any]:
    ticket = page.paging.ticket
    return {
        "number": ticket.reference,
        "subject": ticket.subject,
        "short": ticket.subject[:80],
        "client": ticket.client.name,
        "priority": ticket.priority,
        "name": page.agent.name,
        "why": page.why,
        "link": link(page),
    }
