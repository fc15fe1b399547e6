"""How the chats do: whether somebody is there to talk, and whether the bridges have their secrets."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from tierdesk.channels.chat.models import Bridge, Seat, Widget
from tierdesk.channels.health import Part
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> list[Part]:
    """Each widget and each bridge."""
    widgets = Widget.objects.visible_to(user).select_related("client", "calendar")
    bridges = Bridge.objects.visible_to(user).select_related("client")
    return [
        *(_part(widget, _alone(widget, at)) for widget in widgets),
        *(_part(bridge, _without_secret(bridge)) for bridge in bridges),
    ]


def _part(one: Widget | Bridge, trouble: str) -> Part:
    return Part(
        name=one.name, client=one.client.name, is_on=one.is_active, trouble=trouble if one.is_active else ""
    )


def _alone(widget: Widget, at: datetime) -> str:
    if not widget.is_open(at) or Seat.objects.taken(at).serving(widget.client_id).exists():
        return ""
    return _("It is open and nobody takes chats: visitors are answered by mail.")


def _without_secret(bridge: Bridge) -> str:
    missing = [
        name
        for name, value in ((bridge.secret_name, bridge.secret), (bridge.token_name, bridge.token))
        if name and not value
    ]
    return (
        _("Not set: %(names)s. Nothing is taken in or sent.") % {"names": ", ".join(missing)}
        if missing
        else ""
    )
