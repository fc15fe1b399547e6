"""Shifts are taken over from a calendar file: looked at first, then done, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from hashlib import sha256

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.oncall.models import Schedule, Subscription, UnableToStandIn
from tierdesk.directory.oncall.said import LONGEST, Said
from tierdesk.directory.oncall.subscription import calendar_at, decoded, subscribe
from tierdesk.directory.oncall.takeover import Change, Name, Taken, chosen, compared, names, read, take_over
from tierdesk.directory.staff.models import Agent
from tierdesk.web.workspace.duty import Reader
from tierdesk.web.workspace.guard import agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.views.on_call import not_theirs, reader_of, schedule_of

MOST_NAMES = 100
SHOWN = 20
"""Lines of what changes."""

LEFT_OUT = "nobody"
MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """A name of the file and who it is: `value` is what its `field` of the form says, a key, LEFT_OUT, or nothing."""

    name: Name
    field: str
    value: str


@dataclass(slots=True)
class Sheet:
    """What was given, what was made of it, and why it goes no further, if it does not."""

    text: str = ""
    address: str = ""
    """Where the text came from, and comes from again each hour once it is taken over; empty: it was given."""

    days_begin: time = MIDNIGHT
    choices: list[Choice] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    change: Change | None = None
    refusal: str = ""

    @property
    def seen(self) -> str:
        """What whoever looked at it has seen: with another choice it is shown again, before it is done."""
        chosen_for = [(one.field, one.value) for one in self.choices]
        return sha256(repr((self.text, self.address, self.days_begin, chosen_for)).encode()).hexdigest()

    def who(self, people: Sequence[Agent]) -> dict[str, Agent | None]:
        """Whom each name of the file means, as it was chosen."""
        by_key = {str(agent.pk): agent for agent in people}
        return {one.name.label: by_key.get(one.value) for one in self.choices}


@agent_page
def takeover(request: HttpRequest, key: str) -> HttpResponse:
    """The file is given; then what it says, whose it is and what it changes; then it is done."""
    found = schedule_of(request, key)
    if not found.may_change(user_of(request)):
        return not_theirs(request, found, "takeover")
    if request.method != "POST":
        return _page(request, found, Sheet(days_begin=_hand_over(found)))
    at = clock.now()
    sheet = _read(request, found, at)
    if sheet.change and request.POST.get("seen") == sheet.seen:
        try:
            done = _done(request, found, sheet, at)
        except UnableToStandIn as unable:
            sheet.refusal = str(unable)
        else:
            told = _("The calendar is taken over. New: %(comes)d, as before: %(stays)d, gone: %(goes)d.")
            counts = {"comes": len(done.comes), "stays": len(done.stays), "goes": len(done.goes)}
            messages.success(request, told % counts)
            return redirect("workspace:schedule", found.key)
    return _page(request, found, sheet, status=422 if sheet.refusal else 200)


@agent_page
@require_POST
def removal(request: HttpRequest, key: str) -> HttpResponse:
    """All that was taken over goes again."""
    found = schedule_of(request, key)
    if not found.may_change(user_of(request)):
        return not_theirs(request, found, "takeover")
    with transaction.atomic():
        Subscription.objects.filter(schedule=found).delete()
        gone = take_over(found, [], by=user_of(request), at=clock.now()).goes
    told = ngettext(
        "%(count)d shift of the calendar went: the layers hold again.",
        "%(count)d shifts of the calendar went: the layers hold again.",
        len(gone),
    )
    messages.success(request, told % {"count": len(gone)})
    return redirect("workspace:schedule", found.key)


def _done(request: HttpRequest, found: Schedule, sheet: Sheet, at: datetime) -> Change:
    """Taken over; an address is asked from now on, and a file ends that. Raises UnableToStandIn."""
    with transaction.atomic():
        change = take_over(found, sheet.taken, by=user_of(request), at=at)
        if sheet.address:
            who = sheet.who(found.candidates())
            subscribe(found, sheet.address, days_begin=sheet.days_begin, who=who, by=user_of(request), at=at)
        else:
            Subscription.objects.filter(schedule=found).delete()
    return change


def _read(request: HttpRequest, found: Schedule, at: datetime) -> Sheet:
    """As far as it can be understood; what is in the way is its refusal."""
    sheet = Sheet(days_begin=_time(request.POST.get("days_begin", "")) or _hand_over(found))
    try:
        sheet.address = request.POST.get("address", "").strip()
        sheet.text = _given(request, sheet.address)
        shifts = read(sheet.text, found, days_begin=sheet.days_begin, at=at)
        people = found.candidates()
        sheet.choices = _choices(request, shifts, people)
        if unknown := [one.name.label for one in sheet.choices if not one.value]:
            sheet.refusal = _("Say who this is, or leave it out: %(names)s.") % {
                "names": ", ".join(f"“{label}”" for label in unknown[:SHOWN])
            }
            return sheet
        sheet.taken = chosen(shifts, sheet.who(people), words=reader_of(request).words)
        if not sheet.taken:
            sheet.refusal = _("Everybody is left out: there is nothing to take over.")
            return sheet
        sheet.change = compared(found, sheet.taken, at)
    except (UnreadableCalendar, UnableToStandIn) as fault:
        sheet.refusal = str(fault)
    return sheet


def _given(request: HttpRequest, address: str) -> str:
    """The text of the file that was chosen, else what was pasted, else what stands at the address.

    What was looked at is pasted when it is looked at again, so it is fetched once. Raises UnreadableCalendar.
    """
    upload = request.FILES.get("file")
    if upload:
        if (upload.size or 0) > 4 * LONGEST:
            raise UnreadableCalendar(_("This file is too long for a calendar of shifts."))
        return decoded(upload.read())
    text = request.POST.get("text", "")
    if text.strip():
        return text.replace("\r\n", "\n")  # a form sends each line end as two characters
    if address:
        return calendar_at(address)
    raise UnreadableCalendar(_("Choose a file, give an address, or paste what is in it."))


def _choices(request: HttpRequest, shifts: Sequence[Said], people: Sequence[Agent]) -> list[Choice]:
    """Each name with what was chosen for it; before anything was, with whom it seems to mean."""
    found = names(shifts, people)
    if len(found) > MOST_NAMES:
        raise UnreadableCalendar(
            _("It has more than %(most)d names; give the calendar of this schedule alone.")
            % {"most": MOST_NAMES}
        )
    allowed = {str(agent.pk) for agent in people} | {LEFT_OUT}
    choices = []
    for name in found:
        posted_as = f"who-{sha256(name.label.encode()).hexdigest()[:16]}"
        seems = str(name.agent.pk) if name.agent else ""
        value = request.POST.get(posted_as, seems)
        choices.append(Choice(name, posted_as, value if value in allowed else ""))
    return choices


def _hand_over(found: Schedule) -> time:
    """When a whole day begins, unless somebody says otherwise: at the hand-over of the lowest layer."""
    layers = found.rota.layers
    return layers[0].handover if layers else MIDNIGHT


def _time(words: str) -> time | None:
    try:
        return time.fromisoformat(words).replace(tzinfo=None)
    except ValueError:
        return None


def _page(request: HttpRequest, found: Schedule, sheet: Sheet, *, status: int = 200) -> HttpResponse:
    reader = reader_of(request)
    context = {
        "schedule": found,
        "zone": str(reader.zone),
        "sheet": sheet,
        "days_begin": f"{sheet.days_begin:%H:%M}",
        "people": found.candidates(),
        "left_out": LEFT_OUT,
        "lines": _lines(sheet.change, reader) if sheet.change else [],
        "shown": SHOWN,
    }
    answer = context | navigation(request, "on-call")
    return render(request, "workspace/takeover.html", answer, status=status)


def _lines(change: Change, reader: Reader) -> list[tuple[str, str, str, str, str]]:
    """(what becomes of it, who, from, to, what the file calls it), by time."""
    every = [
        *(("comes", one.agent.name, one.from_at, one.to_at, one.reason) for one in change.comes),
        *(("stays", one.agent.name, one.from_at, one.to_at, one.reason) for one in change.stays),
        *(
            ("goes", one.agent.name, max(one.from_at, reader.at), one.to_at, one.reason)
            for one in change.goes
        ),
    ]
    return [
        (what, who, reader.words(begins), reader.words(ends), why)
        for what, who, begins, ends, why in sorted(every, key=lambda line: (line[2], line[0]))
    ]
