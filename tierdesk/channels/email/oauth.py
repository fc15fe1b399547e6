"""Signing in to a mailbox with a provider's permission instead of a password (RFC 6749 with PKCE, RFC 7636).

An administrator is sent to the provider, allows it, and comes back with a code; the code becomes a token that renews
itself. It is renewed at half of its life: when the provider takes the permission back we learn that while the old one
still opens the mailbox, and say so.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import transaction

from tierdesk.channels.email.models import Grant, Mailbox, Provider
from tierdesk.core import fetch
from tierdesk.core.fetch import NoAnswer
from tierdesk.core.reach import OffLimits

SHORTEST_LIFE = timedelta(minutes=1)
TRY_AGAIN = timedelta(minutes=5)
USUAL_LIFE_S = 3600


class GrantLost(Exception):
    """The provider does not let us in any more; the text is for an administrator, who must allow it again."""


@dataclass(frozen=True)
class Terms:
    """Where a provider is asked, for what, and what else it wants to hear."""

    authorize_url: str
    token_url: str
    scope: str
    more: Mapping[str, str] = field(default_factory=dict)


KNOWN = {
    Provider.MICROSOFT.value: Terms(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access",
    ),
    Provider.GOOGLE.value: Terms(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        {"access_type": "offline", "prompt": "consent"},
    ),
}


def terms_of(grant: Grant) -> Terms:
    """A known provider's, or what was written down of another one."""
    known = KNOWN.get(grant.provider)
    if known is None:
        return Terms(grant.authorize_url, grant.token_url, grant.scope)
    tenant = grant.tenant or "organizations"
    return Terms(
        known.authorize_url.format(tenant=tenant),
        known.token_url.format(tenant=tenant),
        known.scope,
        known.more,
    )


@dataclass(frozen=True)
class Errand:
    """What an administrator carries to the provider and back: two values that only this browser has."""

    state: str
    verifier: str

    @classmethod
    def fresh(cls) -> Errand:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    def address(self, grant: Grant, *, back_to: str) -> str:
        """Where to send the administrator."""
        terms = terms_of(grant)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        )
        asked = {
            "response_type": "code",
            "client_id": grant.application_id,
            "redirect_uri": back_to,
            "scope": terms.scope,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": grant.mailbox.login,
            **terms.more,
        }
        return f"{terms.authorize_url}{'&' if '?' in terms.authorize_url else '?'}{urlencode(asked)}"


def redeem(grant: Grant, *, code: str, verifier: str, back_to: str, at: datetime) -> None:
    """The code that the administrator came back with becomes a permission. Raises GrantLost, NoAnswer, OffLimits."""
    told = _ask(
        grant,
        {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": back_to,
        },
    )
    if not told.get("refresh_token"):
        raise GrantLost(
            "The provider gave no permission that renews itself. Allow offline access, and try again."
        )
    grant.granted_at = at
    _keep(grant, told, at)


def access_token(mailbox: Mailbox, at: datetime) -> str:
    """What opens the mailbox now, renewed if its time comes; empty for a mailbox with a password.

    Raises GrantLost when it is not allowed any more, NoAnswer or OffLimits when that could not be found out.
    """
    with transaction.atomic():
        grant = Grant.objects.select_for_update().select_related("mailbox").filter(mailbox=mailbox.pk).first()
        if grant is None:
            return ""
        if grant.granted_at is None:
            raise GrantLost("Nobody has allowed it yet: open the mailbox’s page and sign in at the provider.")
        trouble = _renewed(grant, at) if _is_due(grant, at) else None
    if trouble is not None and not holds(grant, at):
        raise trouble
    return grant.access_token


def holds(grant: Grant, at: datetime) -> bool:
    """Whether what we have opens the mailbox still."""
    return grant.access_expires_at is not None and at < grant.access_expires_at - SHORTEST_LIFE


def _is_due(grant: Grant, at: datetime) -> bool:
    """At half of its life; after a failure not again at once, as long as it holds."""
    if grant.access_expires_at is None or grant.renewed_at is None or not holds(grant, at):
        return True
    half = grant.renewed_at + (grant.access_expires_at - grant.renewed_at) / 2
    return at >= half and (grant.tried_at is None or at >= grant.tried_at + TRY_AGAIN)


def _renewed(grant: Grant, at: datetime) -> Exception | None:
    """Try to renew, under the row's lock: many providers forget a renewal token once it was used. Returns why not."""
    try:
        _keep(grant, _ask(grant, {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}), at)
    except (GrantLost, NoAnswer, OffLimits) as trouble:
        Grant.objects.filter(pk=grant.pk).update(error=str(trouble)[:500], tried_at=at)
        return trouble
    return None


def _ask(grant: Grant, fields: dict[str, str]) -> dict[str, Any]:
    terms = terms_of(grant)
    fields |= {"client_id": grant.application_id, "scope": terms.scope}
    if secret := grant.application_secret:
        fields["client_secret"] = secret
    answer = fetch.post_form(terms.token_url, fields)
    told = answer.json()
    if answer.status == 200 and told.get("access_token"):
        return told
    if answer.status in (400, 401, 403):
        said = " ".join(str(told.get("error_description") or told.get("error") or answer.status).split())
        raise GrantLost(f"The provider does not allow it any more: {said[:300]}")
    raise NoAnswer(f"The provider answers {answer.status}.")


def _keep(grant: Grant, told: dict[str, Any], at: datetime) -> None:
    grant.access_token = str(told["access_token"])
    if told.get("refresh_token"):
        grant.refresh_token = str(told["refresh_token"])
    grant.renewed_at, grant.tried_at, grant.error = at, None, ""
    grant.access_expires_at = at + timedelta(seconds=_seconds(told, "expires_in") or USUAL_LIFE_S)
    if seconds := _seconds(told, "refresh_token_expires_in"):
        grant.refresh_expires_at = at + timedelta(seconds=seconds)
    grant.save()


def _seconds(told: dict[str, Any], name: str) -> int:
    try:
        return max(0, int(told.get(name) or 0))
    except (TypeError, ValueError):
        return 0
