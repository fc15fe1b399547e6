"""Who is on call: all schedules at a glance, and one of them with its overrides and swaps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tierdesk.core import clock
from tierdesk.directory.calendars.hours import FOREVER
from tierdesk.directory.oncall.feeds import calendar
from tierdesk.directory.oncall.models import Feed, Override, Schedule, Subscription, UnableToStandIn
from tierdesk.directory.oncall.rota import Shift
from tierdesk.directory.staff.models import Agent
from tierdesk.web.workspace.duty import Reader, duty, line, to_swap
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def on_call(request: HttpRequest) -> HttpResponse:
    """Every schedule: who is on call now and next, and where nobody will be."""
    return _overview(request)


def _overview(request: HttpRequest, *, link: str = "") -> HttpResponse:
    """`link`: one that was made just now."""
    reader = reader_of(request)
    schedules = Schedule.objects.visible_to(user_of(request)).with_rota().order_by("team__tier", "name")
    context = {
        "duties": [duty(schedule, reader) for schedule in schedules],
        "zone": str(reader.zone),
        "link": link,
        "feed": agent_of(request).feeds.filter(schedule=None).first(),
    }
    return render(request, "workspace/on_call.html", context | navigation(request, "on-call"))


@agent_page
def schedule(request: HttpRequest, key: str) -> HttpResponse:
    return _page(request, schedule_of(request, key))


@agent_page
@require_POST
def overrides(request: HttpRequest, key: str) -> HttpResponse:
    """Somebody stands in."""
    found = schedule_of(request, key)

    def stand_in() -> str:
        agent = _candidate(found, request.POST)
        begins, ends = (_moment(request, name) for name in ("from", "to"))
        found.stand_in(
            agent, begins, ends, reason=request.POST.get("reason", ""), by=user_of(request), at=clock.now()
        )
        return _("%(who)s stands in.") % {"who": agent.name}

    return _change(request, found, "override", stand_in)


@agent_page
@require_POST
def swaps(request: HttpRequest, key: str) -> HttpResponse:
    """Two people take each other's shifts."""
    found = schedule_of(request, key)

    def swap() -> str:
        offered = to_swap(found, reader_of(request))
        one, other = (_chosen(offered, request.POST.get(name, "")) for name in ("one", "other"))
        reason = request.POST.get("reason", "")
        found.swap(one, other, reason=reason, by=user_of(request), at=clock.now())
        people = [found.people[shift.who].name for shift in (one, other)]
        return _("%(one)s and %(other)s have swapped.") % {"one": people[0], "other": people[1]}

    return _change(request, found, "swap", swap)


@agent_page
@require_POST
def withdrawal(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """An override is taken back."""
    found = schedule_of(request, key)
    override = get_object_or_404(Override.objects.standing().filter(schedule=found), pk=pk)

    def withdraw() -> str:
        override.withdraw(by=user_of(request), at=clock.now())
        return _("Taken back: whoever would be on call is.")

    return _change(request, found, "withdrawal", withdraw)


@agent_page
@require_POST
def own_feed(request: HttpRequest) -> HttpResponse:
    """A link to one's own shifts; the one before is void. It is shown once."""
    return _overview(request, link=_link(request, None))


@agent_page
@require_POST
def schedule_feed(request: HttpRequest, key: str) -> HttpResponse:
    """A link to all shifts and gaps of a schedule, as `own_feed`."""
    found = schedule_of(request, key)
    return _page(request, found, link=_link(request, found))


@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """What a calendar program reads. It does not sign in: the address is the secret, and a void one is not found."""
    found = Feed.by_token(token)
    if found is None:
        raise Http404
    answer = HttpResponse(calendar(found, clock.now()), content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _link(request: HttpRequest, found: Schedule | None) -> str:
    token = Feed.renew(agent_of(request), found, at=clock.now())
    return f"{settings.BASE_URL}{reverse('workspace:feed', args=[token])}"


def _change(request: HttpRequest, found: Schedule, form: str, act: Callable[[], str]) -> HttpResponse:
    """Do it and go back to the page; or the page again, with the words that were typed and why it was refused."""
    if not found.may_change(user_of(request)):
        return not_theirs(request, found, form)
    try:
        done = act()
    except UnableToStandIn as unable:
        return _page(request, found, form=form, refusal=str(unable), status=422)
    messages.success(request, done)
    return redirect("workspace:schedule", found.key)


def not_theirs(request: HttpRequest, found: Schedule, form: str) -> HttpResponse:
    """The page of a schedule, saying that this agent may not change who is on call."""
    refusal = _("Only people of %(team)s, managers and administrators change who is on call here.")
    return _page(request, found, form=form, refusal=refusal % {"team": found.team.name}, status=403)


def _page(
    request: HttpRequest,
    found: Schedule,
    *,
    form: str = "",
    refusal: str = "",
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of a schedule; `form` is the one that was refused, and why; `link` one that was made just now."""
    reader, user = reader_of(request), user_of(request)
    may_change = found.may_change(user)
    context = {
        "duty": duty(found, reader),
        "zone": str(reader.zone),
        "overrides": [
            (one, reader.words(one.from_at), reader.words(one.to_at))
            for one in sorted(found.standing_overrides, key=lambda one: one.from_at)
            if one.to_at > reader.at and not one.is_taken_over
        ],
        "taken_over": _taken_over(found, reader),
        "subscription": Subscription.objects.filter(schedule=found).select_related("made_by").first(),
        "may_change": may_change,
        "people": found.candidates() if may_change else [],
        "to_swap": [line(found, shift, reader, until=FOREVER) for shift in to_swap(found, reader).values()],
        "link": link,
        "feed": agent_of(request).feeds.filter(schedule=found).first(),
        "form": form,
        "refusal": refusal,
        "typed": request.POST if form else {},
        "soon": f"{reader.at.astimezone(reader.zone):%Y-%m-%dT%H:%M}",
    }
    answer = context | navigation(request, "on-call")
    return render(request, "workspace/schedule.html", answer, status=status)


def _taken_over(found: Schedule, reader: Reader) -> dict[str, object] | None:
    """What was taken over from a calendar and lies ahead, in words; None: nothing."""
    ahead = [one for one in found.standing_overrides if one.is_taken_over and one.to_at > reader.at]
    if not ahead:
        return None
    newest = max(ahead, key=lambda one: one.pk)
    until = reader.day(max(one.to_at for one in ahead))
    return {"count": len(ahead), "until": until, "by": newest.made_by, "at": newest.made_at}


def schedule_of(request: HttpRequest, key: str) -> Schedule:
    """The schedule, if this user may see it; forbidden and unknown look the same (404)."""
    found: Schedule = get_object_or_404(Schedule.objects.visible_to(user_of(request)).with_rota(), key=key)
    return found


def reader_of(request: HttpRequest) -> Reader:
    return Reader(ZoneInfo(user_of(request).timezone), clock.now())


def _candidate(found: Schedule, posted: QueryDict) -> Agent:
    chosen = posted.get("who", "")
    for agent in found.candidates():
        if str(agent.pk) == chosen:
            return agent
    raise UnableToStandIn(_("Choose who stands in."))


def _chosen(offered: dict[str, Shift], key: str) -> Shift:
    if not key:
        raise UnableToStandIn(_("Choose two shifts to swap."))
    if key not in offered:
        raise UnableToStandIn(_("This shift has changed meanwhile; choose again."))
    return offered[key]


def _moment(request: HttpRequest, name: str) -> datetime:
    """A time as it was typed, in the reader's zone."""
    try:
        local = datetime.fromisoformat(request.POST.get(name, ""))
        return local.replace(tzinfo=ZoneInfo(user_of(request).timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnableToStandIn(_("Give both times, as a day and an hour.")) from None
