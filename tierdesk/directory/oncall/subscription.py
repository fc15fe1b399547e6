"""A calendar that stands at an address is asked every hour, and its shifts are taken over as somebody once chose them.

What it says goes on holding while it does not answer, or says what nobody understands: nothing changes then, and the
leads hear of it. A name that was never chosen for is whoever it plainly names; else it is trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import dateformat
from django.utils.translation import gettext as _

from tierdesk.core import fetch
from tierdesk.core.facts import ENGINE
from tierdesk.core.reach import OffLimits
from tierdesk.core.seal import Unsealable, seal, unseal
from tierdesk.core.work import work
from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.oncall.ahead import Tell
from tierdesk.directory.oncall.models import Schedule, Subscription, UnableToStandIn
from tierdesk.directory.oncall.said import LONGEST
from tierdesk.directory.oncall.takeover import Taken, chosen, names, read, take_over
from tierdesk.directory.staff.models import Agent, User

EVERY = timedelta(hours=1)
PATIENCE = timedelta(hours=6)
"""So long it is asked again before the leads hear that it cannot be taken over."""

PURPOSE = "calendar of shifts"
LONGEST_ADDRESS = 2000
LONGEST_TROUBLE = 500


def calendar_at(address: str) -> str:
    """What stands at that address. Raises UnreadableCalendar, and says why."""
    url = address.replace("webcal://", "https://", 1) if address.startswith("webcal://") else address
    if len(url) > LONGEST_ADDRESS:
        raise UnreadableCalendar(_("This address is too long."))
    try:
        answer = fetch.ask("GET", url, headers={"Accept": "text/calendar"}, most=4 * LONGEST)
    except (OffLimits, fetch.NoAnswer) as trouble:
        raise UnreadableCalendar(str(trouble)) from trouble
    if 300 <= answer.status < 400:
        raise UnreadableCalendar(_("The server sends the desk on to another address; give that one."))
    if answer.status != 200:
        raise UnreadableCalendar(_("The server answers %(status)d.") % {"status": answer.status})
    return decoded(answer.body)


def decoded(octets: bytes) -> str:
    """Raises UnreadableCalendar."""
    try:
        return octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnreadableCalendar(_("It is no iCalendar file: that is text in UTF-8.")) from error


def subscribe(
    schedule: Schedule,
    address: str,
    *,
    days_begin: time,
    who: Mapping[str, Agent | None],
    by: User,
    at: datetime,
) -> None:
    """Ask that address from now on, and take over for whom was chosen. It was asked at `at`."""
    Subscription.objects.update_or_create(
        schedule=schedule,
        defaults={
            "address": seal(address, purpose=PURPOSE),
            "days_begin": days_begin,
            "who": {label: agent.pk if agent else None for label, agent in who.items()},
            "made_by": by,
            "asked_at": at,
            "trouble": "",
            "trouble_since": None,
            "is_told": False,
            "wake_at": at + EVERY,
        },
    )


def ask_due(tell: Tell) -> Callable[[datetime], int]:
    """Asks one calendar that is due, takes over what it says, and `tell`s what is in the way; returns how many."""

    def run(at: datetime) -> int:
        with transaction.atomic():
            due = Subscription.objects.filter(wake_at__lte=at).order_by("wake_at")
            found = due.select_for_update(skip_locked=True, of=("self",)).first()
            if found is None:
                return 0
            # Before it is asked: whoever dies over it does not begin with it again and again.
            Subscription.objects.filter(pk=found.pk).update(wake_at=at + EVERY)
        _ask(found, tell, at)
        return 1

    return run


def _ask(found: Subscription, tell: Tell, at: datetime) -> None:
    """Nothing is locked while the server is waited for; whoever gave another address meanwhile is not overruled."""
    schedule = Schedule.objects.with_rota().get(pk=found.schedule_id)
    taken, trouble = _said(schedule, found, at)
    with work(by=ENGINE, at=at):
        same = Subscription.objects.select_for_update(of=("self",)).filter(pk=found.pk, address=found.address)
        if same.first() is None:
            return
        if not trouble:
            try:
                take_over(schedule, taken, by=found.made_by, at=at)
            except UnableToStandIn as fault:
                trouble = str(fault)
        _note(schedule, found, trouble[:LONGEST_TROUBLE], tell, at)


def _said(schedule: Schedule, found: Subscription, at: datetime) -> tuple[list[Taken], str]:
    """What it says now, as somebody once chose; else why it cannot be taken over."""
    people = schedule.candidates()
    by_key = {agent.pk: agent for agent in people}
    try:
        text = calendar_at(unseal(bytes(found.address), purpose=PURPOSE))
        shifts = read(text, schedule, days_begin=found.days_begin, at=at)
        who: dict[str, Agent | None] = {}
        for name in names(shifts, people):
            is_known = name.label in found.who
            key = found.who.get(name.label)
            agent = by_key.get(key) if is_known else name.agent
            if agent is None and not (is_known and key is None):
                return [], _("It names “%(name)s”, who is nobody here, or several.") % {"name": name.label}
            who[name.label] = agent
        taken = chosen(shifts, who, words=_words(ZoneInfo(schedule.timezone)))
    except Unsealable:
        return [], _("Its address was sealed with another key of the desk; give it again.")
    except (UnreadableCalendar, UnableToStandIn) as fault:
        return [], str(fault)
    return taken, "" if taken else _("It has no shift of anybody in the year ahead.")


def _note(schedule: Schedule, found: Subscription, trouble: str, tell: Tell, at: datetime) -> None:
    """Keep how it went; of trouble that lasts the leads hear once."""
    since = (found.trouble_since or at) if trouble else None
    is_told = bool(trouble) and found.is_told
    if since is not None and not is_told and at - since >= PATIENCE:
        values = {"schedule": schedule.name, "why": trouble}
        tell(schedule.team, "duty_calendar", values, path=f"/on-call/schedules/{schedule.key}/", at=at)
        is_told = True
    Subscription.objects.filter(pk=found.pk).update(
        asked_at=at, trouble=trouble, trouble_since=since, is_told=is_told
    )


def _words(zone: ZoneInfo) -> Callable[[datetime], str]:
    return lambda at: dateformat.format(at.astimezone(zone), "D j M, H:i")
