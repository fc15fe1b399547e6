"""How the chats do: whether somebody is there to talk, and whether the bridges have their secrets."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from tierdesk.channels.chat.models import Bridge, Seat, Widget
from tierdesk.channels.chat.platforms import platforms
from tierdesk.channels.health import Part
from tierdesk.core.seal import Unsealable
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> list[Part]:
    """Each widget and each bridge."""
    widgets = Widget.objects.visible_to(user).select_related("client", "calendar")
    bridges = Bridge.objects.visible_to(user).select_related("client")
    return [
        *(_part(widget, _alone(widget, at)) for widget in widgets),
        *(_part(bridge, trouble_of(bridge)) for bridge in bridges),
    ]


def _part(one: Widget | Bridge, trouble: str) -> Part:
    return Part(
        name=one.name, client=one.client.name, is_on=one.is_active, trouble=trouble if one.is_active else ""
    )


def _alone(widget: Widget, at: datetime) -> str:
    if not widget.is_open(at) or Seat.objects.taken(at).serving(widget.client_id).exists():
        return ""
    return _("It is open and nobody takes chats: visitors are answered by mail.")


def trouble_of(bridge: Bridge) -> str:
    """Which of its secrets is missing, or cannot be read any more."""
    platform = platforms().get(bridge.kind)
    needed = [("secret", _("The secret"))] if platform is None or platform.proves_itself else []
    for name, called in (*needed, ("token", _("The token"))):
        try:
            if not getattr(bridge, name):
                return _("%(what)s is not set. Nothing is taken in or sent.") % {"what": called}
        except Unsealable as damaged:
            return f"{called}: {damaged}"
    return ""
