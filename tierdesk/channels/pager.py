"""THE PAGER: pages that are due → the way out of their channel. What a page is about is looked at again before it goes.

A page by mail is put into the outbox in the transaction that marks it sent: once, whatever is killed in between. A page
by SMS is leased, sent and marked: a crash in between sends it twice, never not at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from tierdesk.channels import sms
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work
from tierdesk.response.notifications.models import Notice
from tierdesk.response.notifications.words import PAGE, PAGE_SMS, PAGE_SUBJECT, fill
from tierdesk.response.paging.models import MAIL, SMS, Page, PageState
from tierdesk.response.paging.throttle import LONGEST, free_at

AT_ONCE = 10
LEASE = timedelta(minutes=2)
"""Longer than ten providers that do not answer."""

TRIES = 4
FIRST_WAIT = timedelta(seconds=15)


def send_pages(at: datetime) -> int:
    """Send a batch of what is due, oldest first; returns how many pages were looked at."""
    with work(by=ENGINE, at=at):
        pages = _due(at)
        leased = [page.pk for page in pages if _goes_out(page, at)]
    for pk in leased:
        _by_sms(pk, at)
    return len(pages)


def link(page: Page) -> str:
    """Where its person acknowledges, without signing in."""
    return f"{settings.BASE_URL}/pages/{page.token}/"


def _due(at: datetime) -> list[Page]:
    due = Page.objects.filter(wake_at__lte=at, state=PageState.PENDING).order_by("wake_at", "id")
    return list(_whole(due).select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])


def _whole(pages: QuerySet[Page]) -> QuerySet[Page]:
    return pages.select_related("paging__ticket__client", "paging__policy", "agent__user")


def _goes_out(page: Page, at: datetime) -> bool:
    """Do what needs nobody outside; whether the rest is to be sent, under a lease."""
    if not page.is_needed():
        page.drop()
    elif not page.address:
        page.fail("no address is known")
    elif page.channel == MAIL:
        _by_mail(page, at)
    else:
        page.put_off(max(at, clock.now()) + LEASE)
        return True
    return False


def _free_at(page: Page, at: datetime) -> datetime:
    if page.always_passes:
        return at
    lately = Page.objects.filter(channel=SMS, address=page.address, sent_at__gt=at - LONGEST)
    return free_at(list(lately.values_list("sent_at", flat=True)), at)


def _by_mail(page: Page, at: datetime) -> None:
    values = _values(page)
    Notice.objects.create(
        client_id=page.client_id,
        ticket=page.paging.ticket,
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


def _by_sms(pk: int, at: datetime) -> None:
    page = _whole(Page.objects.filter(pk=pk, state=PageState.PENDING)).first()
    if page is None or not page.is_needed():
        return  # acknowledged while others were sent; what is still pending is dropped when its lease is over
    if (free := _free_at(page, at)) > at:
        page.put_off(free, error="held back: too many in a short time")
        return
    try:
        sms.send(page.address, fill(PAGE_SMS, _values(page)))
    except (sms.NotTaken, sms.Refused) as fault:
        with work(by=ENGINE, at=at):
            if isinstance(fault, sms.Refused) or page.tries + 1 >= TRIES:
                page.fail(str(fault))
            else:
                page.put_off(at + FIRST_WAIT * 2**page.tries, error=str(fault), tried=True)
        return
    page.mark_sent(at)


def _values(page: Page) -> dict[str, object]:
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
