"""Pages by SMS: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

from django.conf import settings

from tierdesk.channels.pager import provider
from tierdesk.channels.pager.outgoing import Outgoing, Refused


def is_set_up() -> bool:
    return bool(provider.has_account() and settings.SMS_FROM)


def send(message: Outgoing) -> None:
    """Hand one message to the provider. Raises NotTaken or Refused."""
    if not is_set_up():
        raise Refused("no provider of SMS is set up")
    provider.hand_over("Messages", {"To": message.address, "From": settings.SMS_FROM, "Body": message.text})
