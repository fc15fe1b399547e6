"""A provider of SMS and calls that speaks Twilio's API: https://www.twilio.com/docs/usage/requests-to-twilio.

TIERDESK_SMS_URL names another provider of the same shape; without an account there is no way out.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from django.conf import settings

from tierdesk.channels.pager.posting import post


def has_account() -> bool:
    return bool(settings.TWILIO_ACCOUNT and settings.TWILIO_AUTH_TOKEN)


def hand_over(resource: str, fields: Mapping[str, str]) -> None:
    """Make one of `Messages` or `Calls`. Raises NotTaken or Refused."""
    account, token = settings.TWILIO_ACCOUNT, settings.TWILIO_AUTH_TOKEN
    signed = base64.b64encode(f"{account}:{token}".encode()).decode()
    post(
        f"{settings.SMS_URL}/2010-04-01/Accounts/{quote(account, safe='')}/{resource}.json",
        urlencode(fields).encode(),
        {
            "Authorization": f"Basic {signed}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        who="the provider",
    )
