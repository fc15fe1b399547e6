"""Sending SMS by a provider that speaks Twilio's API: https://www.twilio.com/docs/messaging/api/message-resource.

TIERDESK_SMS_URL names another provider of the same shape; without an account there is no way out.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

from django.conf import settings

from tierdesk.core.fetch import NoAnswer, ask
from tierdesk.core.reach import OffLimits

TOO_MANY = 429


class NotTaken(OSError):
    """The provider could not be asked, or asks us to come again."""


class Refused(ValueError):
    """The provider will never send this, or there is no provider."""


def is_set_up() -> bool:
    return bool(settings.TWILIO_ACCOUNT and settings.TWILIO_AUTH_TOKEN and settings.SMS_FROM)


def send(to: str, text: str) -> None:
    """Hand one message to the provider. Raises NotTaken or Refused, whose texts are for people of the desk."""
    if not is_set_up():
        raise Refused("no provider of SMS is set up")
    account = settings.TWILIO_ACCOUNT
    signed = base64.b64encode(f"{account}:{settings.TWILIO_AUTH_TOKEN}".encode()).decode()
    try:
        answer = ask(
            "POST",
            f"{settings.SMS_URL}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json",
            body=urlencode({"To": to, "From": settings.SMS_FROM, "Body": text}).encode(),
            headers={
                "Authorization": f"Basic {signed}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
        )
    except OffLimits as fault:
        raise Refused(str(fault)) from fault
    except NoAnswer as fault:
        raise NotTaken(str(fault)) from fault
    if answer.status == TOO_MANY or answer.status >= 500:
        raise NotTaken(f"the provider answers {answer.status}")
    if answer.status >= 300:
        raise Refused(f"the provider answers {answer.status}")
