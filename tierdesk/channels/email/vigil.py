"""A mailbox that hears nothing: it breaks its promise of a rhythm, or the desk's mail to itself does not come back.

A collector that reports success for ever, a filter that swallows all mail, a forgotten MX record: none of them fails
anywhere. So what is expected to come is waited for. The canary leaves as every mail leaves, and comes as every mail
comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.channels.email.models import SILENT_AFTER, Mailbox, Vigil, secret
from tierdesk.channels.email.token import mint_canary
from tierdesk.channels.quiet import Quiet
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.calendars.models import newest_hours
from tierdesk.response.notifications.house import tell_administrators
from tierdesk.response.notifications.models import Notice, NoticeState

LOOK_AGAIN = timedelta(minutes=5)
A_MOMENT = timedelta(seconds=1)
CANARY_EVERY = timedelta(minutes=30)
REMIND_AFTER = timedelta(days=1)
HEARD_AGAIN = timedelta(minutes=1)
"""More exactly nobody needs to know when a mailbox was last heard, and a flood would fight for the row."""

SUBJECT = "The desk writes to itself: {token}"
TEXT = "This mail shows that mail to {address} comes. It opens no ticket; nothing needs to be done about it."


def set_up(mailbox: Mailbox, at: datetime) -> None:
    """Begin to wait for what is expected of a mailbox since its settings changed, or stop waiting."""
    if not mailbox.promises_mail:
        Vigil.objects.filter(mailbox=mailbox).delete()
        return
    Vigil.objects.update_or_create(
        mailbox=mailbox, defaults={"wake_at": at}, create_defaults={"since_at": at, "wake_at": at}
    )


def hear(mailboxes: Collection[int], at: datetime) -> None:
    """Mail came to these mailboxes; costs a statement only where somebody waits for it."""
    if not mailboxes:
        return
    unheard = Q(heard_at=None) | Q(heard_at__lt=at - HEARD_AGAIN)
    Vigil.objects.filter(unheard, mailbox__in=mailboxes).update(heard_at=at)


def take_back(mailbox: int, sent: int, *, at: datetime) -> None:
    """A canary came back, perhaps after a younger one, perhaps too late to be well."""
    sent_at = datetime.fromtimestamp(sent, UTC)
    took = max(timedelta(), at - sent_at)
    vigil = (
        Vigil.objects.select_for_update(of=("self",))
        .select_related("mailbox")
        .filter(mailbox=mailbox)
        .first()
    )
    if vigil is None or (vigil.back_sent_at is not None and vigil.back_sent_at >= sent_at):
        return
    vigil.back_sent_at, vigil.took_s = sent_at, int(took.total_seconds())
    if took <= patience(vigil):
        vigil.missed_at = None
    vigil.save(update_fields=["back_sent_at", "took_s", "missed_at"])


def patience(vigil: Vigil) -> timedelta:
    return timedelta(minutes=vigil.mailbox.canary_minutes)


def keep_vigils(vigils: Sequence[Vigil], at: datetime) -> None:
    """Send the canaries that are due; tell the administrators of each mailbox that is silent, once a day."""
    hours = hours_counted([vigil.mailbox for vigil in vigils])
    for vigil in vigils:
        mailbox = vigil.mailbox
        if not mailbox.promises_mail:
            vigil.delete()
            continue
        _miss_canary(vigil, at)
        if mailbox.canary_minutes and (vigil.sent_at is None or at - vigil.sent_at >= CANARY_EVERY):
            _send_canary(vigil, at)
        _tell(vigil, at, hours)
        vigil.wake_at = _next_look(vigil, at, hours)
        vigil.save(update_fields=["sent_at", "missed_at", "told_of", "told_at", "wake_at"])


def hours_counted(mailboxes: Iterable[Mailbox]) -> Mapping[int, Hours]:
    """The hours in which these mailboxes are not without mail, by calendar, in one statement."""
    return newest_hours(one.quiet_in_id for one in mailboxes)


def _quiet(mailbox: Mailbox, hours: Mapping[int, Hours]) -> Quiet:
    within = hours[mailbox.quiet_in_id] if mailbox.quiet_in_id is not None else None
    return Quiet(mailbox.quiet_hours, within)


def _next_look(vigil: Vigil, at: datetime, hours: Mapping[int, Hours]) -> datetime:
    """When the next canary is due, this one is late, or the silence is too long; soon again while there is trouble."""
    mailbox, looks = vigil.mailbox, []
    if vigil.told_of:
        looks.append(at + LOOK_AGAIN)
    if mailbox.canary_minutes and vigil.sent_at is not None:
        looks += [vigil.sent_at + CANARY_EVERY, vigil.sent_at + patience(vigil) + A_MOMENT]
    if mailbox.quiet_hours and (ends := _quiet(mailbox, hours).ends(_heard(vigil))) is not None:
        looks.append(ends + A_MOMENT)
    return min((look for look in looks if look > at), default=at + LOOK_AGAIN)


def _heard(vigil: Vigil) -> datetime:
    return max(vigil.since_at, vigil.heard_at or vigil.since_at)


def _miss_canary(vigil: Vigil, at: datetime) -> None:
    """Remembered until one comes in time, so that the next one, while it is on its way, ends no alarm."""
    if vigil.sent_at is None or vigil.missed_at is not None or not vigil.mailbox.canary_minutes:
        return
    if vigil.back_sent_at != vigil.sent_at and at - vigil.sent_at > patience(vigil):
        vigil.missed_at = vigil.sent_at


def _send_canary(vigil: Vigil, at: datetime) -> None:
    """As a notice like any other, in the place of the one before."""
    mailbox = vigil.mailbox
    at = at.replace(microsecond=0)
    token = mint_canary(mailbox.pk, sent=int(at.timestamp()), secret=secret())
    Notice.objects.filter(kind="canary", address=mailbox.address).delete()
    Notice.objects.create(
        client=mailbox.client,
        kind="canary",
        address=mailbox.address,
        subject=SUBJECT.format(token=token),
        text=TEXT.format(address=mailbox.address),
        automatic=True,
        created_at=at,
        wake_at=at,
    )
    vigil.sent_at = at


def _tell(vigil: Vigil, at: datetime, hours: Mapping[int, Hours]) -> None:
    kind, why = _news(vigil, at, hours)
    if not why:
        vigil.told_of = ""
    elif vigil.told_of != kind or vigil.told_at is None or at - vigil.told_at >= REMIND_AFTER:
        tell_administrators("mailbox_silent", {"address": vigil.mailbox.address, "why": why}, at)
        vigil.told_of, vigil.told_at = kind, at


def silence(vigil: Vigil, at: datetime, hours: Mapping[int, Hours]) -> str:
    """What is expected and has not come, in a sentence; empty if all has. `hours`: those of `hours_counted`."""
    return _news(vigil, at, hours)[1]


def _news(vigil: Vigil, at: datetime, hours: Mapping[int, Hours]) -> tuple[str, str]:
    """(what is missing, why that is trouble). The canary says more: it also speaks at night."""
    mailbox = vigil.mailbox
    if not mailbox.promises_mail:
        return "", ""
    if vigil.wake_at is not None and at - vigil.wake_at > SILENT_AFTER:
        return "nobody", _("Nobody waits for its mail: the worker does not run, or hangs.")
    if mailbox.canary_minutes and vigil.missed_at is not None:
        return "canary", _missed_canary(vigil)
    heard, quiet = _heard(vigil), _quiet(mailbox, hours)
    if quiet.hours and quiet.is_broken(heard, at):
        return "quiet", _long_without(heard, quiet)
    return "", ""


def _long_without(heard: datetime, quiet: Quiet) -> str:
    told = {"since": f"{heard:%d %B, %H:%M}", "hours": quiet.hours}
    if quiet.within is None:
        return (
            _("No mail has come since %(since)s UTC; %(hours)d hours are the longest it is without.") % told
        )
    return _("No mail has come since %(since)s UTC; in its hours it is without for %(hours)d at most.") % told


def _missed_canary(vigil: Vigil) -> str:
    assert vigil.missed_at is not None
    told = {"sent": f"{vigil.missed_at:%d %B, %H:%M}", "minutes": vigil.mailbox.canary_minutes}
    if vigil.back_sent_at is not None and vigil.back_sent_at >= vigil.missed_at:
        late = told | {"took": vigil.took_s // 60}
        return _("The desk’s mail to itself took %(took)d minutes; within %(minutes)d it is well.") % late
    stuck = Notice.objects.filter(kind="canary", address=vigil.mailbox.address).exclude(
        state=NoticeState.SENT
    )
    if why := next((one.error for one in stuck if one.error), ""):
        return _("The desk’s mail to itself does not leave: %(why)s") % {"why": why}
    return _("The desk’s mail to itself of %(sent)s UTC did not come within %(minutes)d minutes.") % told
