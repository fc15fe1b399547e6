"""What agents say in a chat where the desk pages them: that they look, or who they are there.

A room of ours proves nothing about who speaks in it. Somebody is known there once they wrote the code that the desk
showed to them alone, or where the page went to their own person, and its code came back.
"""

from __future__ import annotations

import re
from functools import partial

from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms import Said
from tierdesk.channels.registry import Nothing, ToTheDesk, Understood
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import current
from tierdesk.response.paging import answers
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import CHAT, Way

CODE = re.compile(r"(?:.{0,40}\s)?(\d{6})[\s.!]*", re.DOTALL)


def understood(bridge: Bridge, said: Said) -> Understood | None:
    """What an agent said to the desk, in a room where agents are paged; None: it is no such room."""
    if not bridge.pages_agents:
        return None
    here = Q(address=f"{bridge.key}/{said.room}")
    to_them = Q(address=f"{bridge.key}/{said.who}")
    found = Way.objects.filter(
        here | to_them, kind=CHAT, verified_at__isnull=False, agent__user__is_active=True
    )
    ways = list(found.select_related("agent__user").order_by("pk"))
    if not ways:
        return None
    place = f"{bridge.key}/{said.thread if said.in_thread else said.room}"
    mine = next((way for way in ways if _is_theirs(bridge, way, said)), None)
    if mine is not None:
        return _answered(mine, said, place)
    if code := CODE.fullmatch(said.text.strip()):
        return ToTheDesk(
            ENGINE, partial(_recognise, ways, code[1], said.who), place, "somebody says who they are"
        )
    return _from_a_stranger(ways, said, place)


def _is_theirs(bridge: Bridge, way: Way, said: Said) -> bool:
    return way.identity == said.who or way.address == f"{bridge.key}/{said.who}"


def _answered(way: Way, said: Said, place: str) -> Understood:
    answer = answers.read(said.text)
    mine = Page.objects.filter(channel=CHAT, address=way.address, agent=way.agent)
    pages = answers.waiting(mine, answer.numbers)
    is_for_us = answer.is_meant or (bool(answer.verb) and bool(pages))
    if not is_for_us or not (answer.verb or pages):
        return Nothing("said among ourselves, where agents are paged")

    def act() -> str:
        return answers.reply(mine, answer, current().at)

    return ToTheDesk(way.agent.actor(), act, place, "an answer to a page")


def _recognise(ways: list[Way], code: str, who: str) -> str:
    for way in ways:
        if way.recognise(code, who, at=current().at):
            return _("You are %(who)s here from now on. Answer ACK when you are paged.") % {
                "who": way.agent.name
            }
    return _("That code is not known, or over. On the desk, open On call, My pages, and ask for another.")


def _from_a_stranger(ways: list[Way], said: Said, place: str) -> Understood:
    """Whoever answers and is not known here is told what to do, where something waits for an answer at all."""
    answer = answers.read(said.text)
    waits = Page.objects.filter(channel=CHAT, address__in={way.address for way in ways})
    if not (answer.verb and answers.waiting(waits, answer.numbers)):
        return Nothing("said among ourselves, where agents are paged")

    def act() -> str:
        return _(
            "I do not know who you are here, so nothing was acknowledged. On the desk, open On call, My pages, and say"
            " so once; or use the link of the page."
        )

    return ToTheDesk(ENGINE, act, place, "an answer to a page, by somebody who is not known there")
