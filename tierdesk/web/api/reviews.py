"""Looking back at a major incident: its review, the tasks that come of it, and closing it; rights as on the desk."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Router, Status
from pydantic import AfterValidator, BaseModel

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.response.major.models import ReviewAction
from tierdesk.web.api.actions import caller_as_agent
from tierdesk.web.api.bearer import caller
from tierdesk.web.api.errors import REFUSALS
from tierdesk.web.api.fields import YEARS, Strict, Text, Word
from tierdesk.web.api.majors import ANSWERS, Answer, Reason, act_on, incident_of, named

router = Router(tags=["major incidents"])


def _day(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return day


class Review(Strict):
    text: Text


class Agreeing(Strict):
    """`owner`: an address, or `me`; reminded on `due_date`, in the morning of their own zone."""

    what: Text
    owner: Word
    due_date: Annotated[date, AfterValidator(_day)]


class ActionShown(BaseModel):
    """A task that came of the review."""

    id: int
    what: str
    owner: str
    due_date: date
    done_by: str | None
    done_at: datetime | None

    @classmethod
    def of(cls, action: ReviewAction) -> Self:
        return cls(
            id=action.pk,
            what=action.what,
            owner=action.owner.user.email,
            due_date=action.due_date,
            done_by=action.done_by.user.email if action.done_by else None,
            done_at=action.done_at,
        )


@router.post("/{int:pk}/review", response=ANSWERS)
def review(request: HttpRequest, pk: int, body: Review) -> Answer:
    """What happened, as people found who looked back at it."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.hold_review(body.text, by=by))


@router.post("/{int:pk}/review/waiver", response=ANSWERS)
def waive(request: HttpRequest, pk: int, body: Reason) -> Answer:
    """Nobody looks back at it, for a reason."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.waive_review(body.why, by=by))


@router.post("/{int:pk}/closure", response=ANSWERS)
def close(request: HttpRequest, pk: int) -> Answer:
    """Its review is done; it is never closed by silence."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.close(by=by))


@router.get("/{int:pk}/actions", response={200: list[ActionShown], **REFUSALS})
def actions(request: HttpRequest, pk: int) -> list[ActionShown]:
    """The tasks that came of it, the first due first."""
    return [ActionShown.of(one) for one in _actions(request).filter(incident=incident_of(request, pk))]


@router.post("/{int:pk}/actions", response={201: ActionShown, **REFUSALS})
def agree(request: HttpRequest, pk: int, body: Agreeing) -> Status[ActionShown]:
    """A task that comes of it."""
    incident, by = incident_of(request, pk), caller_as_agent(request)
    owner = named(request, incident.ticket, "owner", body.owner)
    assert owner is not None
    with work(by=caller(request).actor(), at=clock.now()):
        made = incident.agree(body.what, owner=owner, due_date=body.due_date, by=by)
    return Status(201, ActionShown.of(_actions(request).get(pk=made.pk)))


@router.post("/{int:pk}/actions/{int:action}/completion", response={200: ActionShown, **REFUSALS})
def finish(request: HttpRequest, pk: int, action: int) -> ActionShown:
    """It is done."""
    found = _actions(request).filter(incident=incident_of(request, pk), pk=action).first()
    if found is None:
        raise Http404
    with work(by=caller(request).actor(), at=clock.now()):
        found.finish(by=caller_as_agent(request))
    return ActionShown.of(_actions(request).get(pk=action))


def _actions(request: HttpRequest) -> QuerySet[ReviewAction]:
    seen: QuerySet[ReviewAction] = ReviewAction.objects.visible_to(caller(request))
    return seen.select_related("incident__ticket", "owner__user", "done_by__user")
