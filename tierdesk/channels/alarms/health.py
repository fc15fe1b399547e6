"""How the monitoring systems do that send alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils.translation import gettext as _

from tierdesk.channels.alarms.models import Alarm, Refusal, Source
from tierdesk.channels.health import LATELY, Part
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> list[Part]:
    """Each source: silent against its promise, not understood, or turned away."""
    unseen = _by_source(Alarm.objects.visible_to(user).unseen())
    refused = _by_source(Refusal.objects.visible_to(user).waiting().filter(received_at__gt=at - LATELY))
    sources = Source.objects.visible_to(user).select_related("client")
    return [_part(source, unseen.get(source.pk, 0), refused.get(source.pk, 0)) for source in sources]


def part(source: Source, at: datetime) -> Part:
    """One of them."""
    refused = source.refusals.waiting().filter(received_at__gt=at - LATELY)
    return _part(source, source.alarms.unseen().count(), refused.count())


def _part(source: Source, unseen: int, refused: int) -> Part:
    return Part(
        name=source.name,
        pk=source.pk,
        client=source.client.name,
        is_on=source.enabled,
        heard_at=source.last_received_at,
        waiting=unseen,
        trouble=_trouble(source, refused),
        since=source.silent_since,
    )


def _trouble(source: Source, refused: int) -> str:
    said = []
    if source.silent_since is not None:
        said.append(
            _("It promised a beat every %(time)s and is silent.") % {"time": _how_long(source.beat_s)}
        )
    if refused:
        said.append(_("Not understood within a day: %(count)d.") % {"count": refused})
    if source.shed_count:
        said.append(
            _("Turned away so far, because more came than the desk takes: %(count)d.")
            % {"count": source.shed_count}
        )
    return " ".join(said)


def _by_source(rows: ClientRows) -> Mapping[int, int]:
    return dict(rows.order_by().values_list("source").annotate(many=Count("pk")))


def _how_long(seconds: int) -> str:
    return str(timedelta(seconds=seconds)) if seconds % 60 else f"{seconds // 60} min"
