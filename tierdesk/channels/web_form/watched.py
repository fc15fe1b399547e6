"""What of the web forms is watched: a public one that is sent too often, and one that promised not to be silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Case, F, Sum, Value, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from tierdesk.channels.models import Inbound
from tierdesk.channels.watches import Rhythm, Stream
from tierdesk.channels.web_form.models import PER_SENDER, Access, Form, Turnstile


def streams(since: datetime, at: datetime) -> Iterator[Stream]:
    """Each public form: how often somebody was turned away at it."""
    del since, at
    most = Case(When(sender="", then=F("form__most_per_hour")), default=Value(PER_SENDER))
    over = Turnstile.objects.annotate(over=Greatest(F("count") - most, Value(0)))
    refused = dict(over.order_by().values_list("form").annotate(many=Sum("over")))
    for form in Form.objects.filter(access=Access.PUBLIC, is_active=True):
        yield Stream(
            key=f"turned-away:{form.pk}",
            name=form.name,
            client=form.client_id,
            what=_("Submissions that were turned away"),
            most=settings.FLOOD_AFTER,
            total=refused.get(form.pk, 0),
        )


def rhythms(at: datetime) -> Iterator[Rhythm]:
    """Forms with a longest silence."""
    del at
    for form in Form.objects.filter(quiet_hours__gt=0, is_active=True):
        sent = Inbound.objects.filter(channel="web_form", meta__form=form.pk).order_by("-received_at")
        yield Rhythm(
            key=f"form:{form.pk}",
            name=form.name,
            client=form.client_id,
            hours=form.quiet_hours,
            calendar=form.quiet_in_id,
            heard_at=sent.values_list("received_at", flat=True).first(),
        )
