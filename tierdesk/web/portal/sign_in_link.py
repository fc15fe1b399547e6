"""Signing in without a password: a link to the own mailbox, good for a quarter of an hour and for one use.

The token carries a fingerprint of the account's last sign-in and password, so that using it, or changing the
password, makes it worthless. Only contacts get links; agents have passwords.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice

GOOD_FOR = timedelta(minutes=15)
MOST_LINKS = 3
KIND = "sign_in"
_SALT = "tierdesk.portal.sign-in-link"

LINK_MAIL = """Hello %(name)s,

%(what)s

%(link)s

It is good for %(minutes)d minutes and for one use.
If you did not ask for it, do nothing: without the link nobody gets in."""


class DeadLink(Exception):
    """The link is damaged, too old, or was used."""


def send_link(address: str, *, to: str = "") -> None:
    """Mail a link to the contact with this address, if there is one. Whoever asks learns nothing either way.

    `to`: the form that the link leads to, instead of the contact's requests.
    """
    with seeing(EVERY_CLIENT), transaction.atomic():
        contact = _contact_at(address.strip().lower())
        user = _account_of(contact) if contact else None
        if contact is None or user is None or _asked_too_often(contact.email):
            return
        _notice(contact, token_for(user, to=to), to_a_form=bool(to))


def token_for(user: User, *, to: str = "") -> str:
    said = {"user": user.pk, "as": _fingerprint(user)} | ({"to": to} if to else {})
    return TimestampSigner(salt=_SALT).sign_object(said)


def page_behind(token: str) -> str:
    """Where a link leads that was found good: the page it was made for, or the contact's requests."""
    said = TimestampSigner(salt=_SALT).unsign_object(token)
    return str(said.get("to") or reverse("portal:tickets"))


def asked_at(token: str) -> str:
    """Where another link can be asked for, once this one is used or too old: at the form that it led to, if it did."""
    try:
        said = TimestampSigner(salt=_SALT).unsign_object(token)
    except BadSignature:
        return reverse("portal:link")
    return str(said.get("to") or reverse("portal:link"))


def account_behind(token: str, *, lock: bool = False) -> User:
    """The account that the link signs in. `lock` it (inside a transaction), so that two clicks are one use.

    Raises DeadLink.
    """
    try:
        said = TimestampSigner(salt=_SALT).unsign_object(token, max_age=GOOD_FOR)
    except BadSignature as error:
        raise DeadLink(str(error)) from error
    users = User.objects.select_for_update(of=("self",)) if lock else User.objects.all()
    user = users.filter(pk=said["user"], is_active=True, is_admin=False, agent=None).first()
    if user is None or not constant_time_compare(said["as"], _fingerprint(user)):
        raise DeadLink("The account changed since the link was sent.")
    return user


def _fingerprint(user: User) -> str:
    last = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(
        _SALT, f"{user.pk}:{last}:{user.password}:{user.email}", algorithm="sha256"
    ).hexdigest()


def _contact_at(address: str) -> Contact | None:
    """The contact with this address; if several clients know it, the one who already has an account."""
    known = Contact.objects.filter(email=address, is_active=True, client__is_active=True).exclude(email="")
    by_account = known.select_related("client", "user").order_by(F("user_id").asc(nulls_last=True), "id")
    found: Contact | None = by_account.first()
    return found


def _account_of(contact: Contact) -> User | None:
    """The contact's account, made if there is none, locked; None if the address is an agent's or is blocked."""
    if contact.user_id is None and not _adopt(contact):
        return None
    users = User.objects.select_for_update(of=("self",))
    return users.filter(contact=contact, is_active=True, is_admin=False, agent=None).first()


def _adopt(contact: Contact) -> bool:
    """Give the contact an account without a password. An account that somebody has under this address stays theirs."""
    user, is_new = User.objects.get_or_create(
        email=contact.email, defaults={"name": contact.name, "timezone": contact.zone}
    )
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    elif user.is_admin or hasattr(user, "agent") or hasattr(user, "contact"):
        return False
    contact.user = user
    contact.save(update_fields=["user"])
    return True


def _asked_too_often(address: str) -> bool:
    recent = Notice.objects.filter(kind=KIND, address=address, created_at__gt=clock.now() - GOOD_FOR)
    return recent.count() >= MOST_LINKS


def _notice(contact: Contact, token: str, *, to_a_form: bool) -> None:
    at = clock.now()
    subject, what = _("Your link to sign in"), _("with this link you are signed in to your requests:")
    if to_a_form:
        subject, what = (
            _("Your link to the form"),
            _("this link opens the form that you asked for, and signs you in:"),
        )
    link = settings.BASE_URL + reverse("portal:link-use", args=[token])
    minutes = int(GOOD_FOR.total_seconds() // 60)
    Notice.objects.create(
        client=contact.client,
        contact=contact,
        channel="mail",
        kind=KIND,
        address=contact.email,
        sender_name=_("Support"),
        subject=subject,
        text=_(LINK_MAIL) % {"name": contact.name, "what": what, "link": link, "minutes": minutes},
        automatic=True,
        created_at=at,
        wake_at=at,
    )
