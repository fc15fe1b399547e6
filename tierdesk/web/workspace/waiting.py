"""What happens next to a ticket that waits, and when, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from tierdesk.response.waiting.models import Prospect, Wait
from tierdesk.response.waiting.plan import Step, may_end_in_silence
from tierdesk.tickets.lifecycle import PendingReason, State
from tierdesk.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Ahead:
    """Something that will happen at `at`, unless somebody answers before."""

    words: str
    at: datetime


def ahead_of(ticket: Ticket) -> list[Ahead]:
    """The next step and the end of a ticket's wait, the nearer first; and when it wakes by itself."""
    if ticket.state != State.PENDING:
        return []
    found = [Ahead(_("back to work by itself"), ticket.wake_at)] if ticket.wake_at else []
    wait = Wait.objects.going().filter(ticket=ticket).select_related("team").first()
    if wait is not None and (prospects := wait.prospects()):
        shown = [prospects[0], prospects[-1]] if len(prospects) > 1 else prospects
        found += [Ahead(words_of_wait(wait, one), one.at) for one in shown]
    return sorted(found, key=lambda one: one.at)


def words_of_wait(wait: Wait, one: Prospect) -> str:
    """What happens next to a wait, as a reader says it."""
    if one.step == Step.CHASE:
        count = {"number": one.number, "of": wait.agreed.chasers, "whom": _whom(wait)}
        return _("reminder %(number)s of %(of)s to %(whom)s") % count
    if one.step == Step.WARN:
        return _("last warning to the contact")
    return _("solved by silence") if one.step == Step.RESOLVE else _("back to work, as nobody answered")


def _whom(wait: Wait) -> str:
    if may_end_in_silence(wait.reason):
        return _("the contact")
    if wait.reason == PendingReason.VENDOR:
        return _("the vendor")
    return wait.team.name if wait.team else _("whoever works it")
