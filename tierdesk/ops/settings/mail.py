"""The desk's mailboxes, for its administrators: how each of them does, trying one out, and a provider's permission."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from tierdesk.channels.email.health import trouble_of
from tierdesk.channels.email.models import Collection, Grant, Mailbox, Vigil
from tierdesk.channels.email.oauth import Errand, GrantLost, redeem
from tierdesk.channels.email.trial import try_receiving, try_sending
from tierdesk.channels.email.vigil import hours_counted
from tierdesk.core import clock
from tierdesk.core.fetch import NoAnswer
from tierdesk.core.reach import OffLimits
from tierdesk.core.seal import Unsealable
from tierdesk.directory.calendars.hours import Hours
from tierdesk.ops.settings.views import page
from tierdesk.web.workspace.guard import admin_page, user_of

ERRANDS = "errands"
"""In the session: what this browser carries to a provider and back, by mailbox."""


@dataclass(frozen=True)
class Standing:
    """A mailbox, and what an administrator should know of it. `kept_back`: mails that its server would not give."""

    mailbox: Mailbox
    collection: Collection | None
    grant: Grant | None
    vigil: Vigil | None
    trouble: str
    kept_back: list[str]

    @classmethod
    def of(cls, mailbox: Mailbox, at: datetime, hours: Mapping[int, Hours]) -> Standing:
        collection = getattr(mailbox, "collection", None) if mailbox.is_fetched else None
        kept_back = [why for _, why, _ in collection.skipped.values()] if collection else []
        grant, vigil = getattr(mailbox, "grant", None), getattr(mailbox, "vigil", None)
        return cls(mailbox, collection, grant, vigil, trouble_of(mailbox, at, hours), kept_back)

    @property
    def heard_at(self) -> datetime | None:
        """When the last mail came, as far as somebody counts."""
        if self.collection:
            return self.collection.fetched_at
        return self.vigil.heard_at if self.vigil else None


@admin_page
def mailboxes(request: HttpRequest) -> HttpResponse:
    at, mailboxes = clock.now(), _visible(request)
    hours = hours_counted(mailboxes)
    found = [Standing.of(one, at, hours) for one in mailboxes]
    return page(request, "mail.html", {"mailboxes": found}, section="mail")


@admin_page
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """One mailbox. The way to its provider is a link, because our forms may not lead off the desk (CSP)."""
    mailbox = get_object_or_404(_visible(request), pk=pk)
    one = Standing.of(mailbox, clock.now(), hours_counted([mailbox]))
    way = _errand(request, one.grant).address(one.grant, back_to=_back()) if one.grant else ""
    context = {"one": one, "way_to_provider": way, "way_back": _back()}
    return page(request, "mailbox.html", context, section="mail")


@admin_page
@require_POST
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Try out whether mail is fetched and leaves; the mail that leaves goes to whoever tries."""
    one = get_object_or_404(_visible(request), pk=pk)
    for tried in (try_receiving(one), try_sending(one, to=user_of(request).email, at=clock.now())):
        (messages.success if tried.well else messages.error)(request, tried.seen)
    return redirect("settings:mailbox", pk)


@admin_page
def permission(request: HttpRequest) -> HttpResponse:
    """Where a provider sends the administrator back to: with a code, or with why not (RFC 6749 §4.1.2)."""
    pk, errand = next(_came_back(request), (None, None))
    if pk is None or errand is None:
        messages.error(request, "That answer belongs to no question of ours. Begin at the mailbox.")
        return redirect("settings:mail")
    grant = get_object_or_404(Grant, mailbox__in=_visible(request), mailbox=pk)
    request.session[ERRANDS] = {k: v for k, v in request.session[ERRANDS].items() if k != str(pk)}
    try:
        _redeem(request, grant, errand)
        messages.success(request, "The provider lets us in.")
    except (GrantLost, NoAnswer, OffLimits, Unsealable) as refusal:
        messages.error(request, str(refusal))
    return redirect("settings:mailbox", pk)


def _redeem(request: HttpRequest, grant: Grant, errand: Errand) -> None:
    if not (code := request.GET.get("code")):
        why = request.GET.get("error_description") or request.GET.get("error") or "no reason"
        raise GrantLost(f"The provider did not allow it: {' '.join(why.split())[:300]}")
    redeem(grant, code=code, verifier=errand.verifier, back_to=_back(), at=clock.now())


def _visible(request: HttpRequest) -> QuerySet[Mailbox]:
    return Mailbox.objects.visible_to(user_of(request)).select_related(
        "client", "collection", "grant", "vigil"
    )


def _errand(request: HttpRequest, grant: Grant) -> Errand:
    """What this browser carries to the provider: the same until it comes back, however often the page is opened."""
    errands = request.session.get(ERRANDS, {})
    kept = errands.get(str(grant.mailbox_id)) or asdict(Errand.fresh())
    request.session[ERRANDS] = errands | {str(grant.mailbox_id): kept}
    return Errand(**kept)


def _came_back(request: HttpRequest) -> Iterator[tuple[int, Errand]]:
    """The errand that this answer belongs to, if this browser was sent on it."""
    state = request.GET.get("state", "").encode()
    for pk, kept in request.session.get(ERRANDS, {}).items():
        if secrets.compare_digest(kept["state"].encode(), state):
            yield int(pk), Errand(**kept)


def _back() -> str:
    return f"{settings.BASE_URL}{reverse('settings:permission')}"
