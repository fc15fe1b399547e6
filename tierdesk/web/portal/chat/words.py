"""The words of the widget, in its client's language: the script itself speaks none."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, object] = {
    "open": _("Chat with us"),
    "close": _("Close the chat"),
    "unread": _("new messages"),
    "name": _("Your name"),
    "email": _("Your mail address"),
    "emailWhy": _("If you leave before we answer, we write to you there."),
    "line": _("Your message"),
    "send": _("Send"),
    "start": _("Start the chat"),
    "leave": _("Leave a message"),
    "kept": _("What is said here is kept with your request."),
    "closed": _("Nobody is here to chat right now. Leave a message and we answer by mail."),
    "left": _("Thank you. We have your message and answer by mail."),
    "waiting": _("Your message has arrived. Somebody will be with you in a moment."),
    "talking": _("You are talking with"),
    "typing": _("is typing …"),
    "ended": _("This chat is over. To go on, just write again."),
    "anew": _("Start a new chat"),
    "finish": _("End the chat"),
    "you": _("You"),
    "offline": _("No connection. We keep trying; nothing you wrote is lost."),
    "failed": _("This was not sent. Try again."),
    "slow": _("That was a lot at once. Wait a minute, then send it again."),
    "number": _("Your request has the number"),
}
