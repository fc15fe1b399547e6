"""How the monitoring systems do that send alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils.translation import gettext as _

from tierdesk.channels.alarms.models import Alarm, Refusal, Source
from tierdesk.channels.health import LATELY, Part
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> list[Part]:
    """Each source: silent against its promise, not understood, or turned away."""
    sources = Source.objects.visible_to(user).select_related("client")
    return _told(sources, user, at)


def part(source: Source, user: User, at: datetime) -> Part:
    """One of them."""
    [told] = _told([source], user, at)
    return told


def _told(sources: Iterable[Source], user: User, at: datetime) -> list[Part]:
    unseen = Counter(Alarm.objects.visible_to(user).unseen().values_list("source", flat=True))
    refused = _refused(user, at - LATELY)
    return [
        Part(
            name=source.name,
            pk=source.pk,
            client=source.client.name,
            is_on=source.enabled,
            heard_at=source.last_received_at,
            waiting=unseen[source.pk],
            trouble=_trouble(source, refused.get(source.pk, 0)),
            since=source.silent_since,
        )
        for source in sources
    ]


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
            _("Turned away so far, because the desk was full: %(count)d.") % {"count": source.shed_count}
        )
    return " ".join(said)


def _refused(user: User, since: datetime) -> Mapping[int, int]:
    lately = Refusal.objects.visible_to(user).filter(received_at__gt=since).order_by()
    return dict(lately.values_list("source").annotate(many=Count("pk")))


def _how_long(seconds: int) -> str:
    return str(timedelta(seconds=seconds)) if seconds % 60 else f"{seconds // 60} min"
