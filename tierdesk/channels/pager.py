"""THE PAGER: pages that are due → the way out of their channel. What a page is about is looked at again before it goes.

A page by mail is put into the outbox in the transaction that marks it sent: once, whatever is killed in between.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work
from tierdesk.response.notifications.models import Notice
from tierdesk.response.notifications.words import PAGE, PAGE_SUBJECT, fill
from tierdesk.response.paging.models import Page, PageState

AT_ONCE = 50


def send_pages(at: datetime) -> int:
    """Send a batch of what is due, oldest first; returns how many pages were looked at."""
    with work(by=ENGINE, at=at):
        pages = _claimed(at)
        for page in pages:
            if not page.is_needed():
                page.drop()
            elif not page.address:
                page.fail("no address is known")
            else:
                _by_mail(page, at)
    return len(pages)


def _claimed(at: datetime) -> list[Page]:
    due = Page.objects.filter(wake_at__lte=at, state=PageState.PENDING).order_by("wake_at", "id")
    related = due.select_related("paging__ticket__client", "paging__policy", "agent__user")
    return list(related.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])


def _by_mail(page: Page, at: datetime) -> None:
    ticket = page.paging.ticket
    values = {
        "number": ticket.reference,
        "subject": ticket.subject,
        "client": ticket.client.name,
        "priority": ticket.priority,
        "name": page.agent.name,
        "why": page.why,
        "link": link(page),
    }
    Notice.objects.create(
        client_id=page.client_id,
        ticket=ticket,
        channel="mail",
        kind="page",
        agent=page.agent,
        address=page.address,
        sender_name="Service Desk",
        subject=fill(PAGE_SUBJECT, values)[:300],
        text=fill(PAGE, values),
        automatic=True,
        created_at=at,
        wake_at=at,
    )
    page.mark_sent(at)


def link(page: Page) -> str:
    """Where its person acknowledges, without signing in."""
    return f"{settings.BASE_URL}/pages/{page.token}/"
