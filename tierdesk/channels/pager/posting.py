"""Handing something to a server that somebody named, and what its answer means for a page."""

from __future__ import annotations

from collections.abc import Mapping

from tierdesk.channels.pager.outgoing import NotTaken, Refused
from tierdesk.core.fetch import NoAnswer, ask
from tierdesk.core.reach import OffLimits

ASKS_TO_COME_AGAIN = {408, 425, 429}


def post(url: str, body: bytes, headers: Mapping[str, str], *, who: str, off_limits: str = "") -> None:
    """Raises NotTaken or Refused, whose texts are for people of the desk. A redirect is a refusal: none is followed.

    `off_limits`: what is said of an address that the desk does not call, where whoever gave it is no administrator
    and may not learn what stands behind the name.
    """
    try:
        answer = ask("POST", url, body=body, headers=headers)
    except OffLimits as fault:
        raise Refused(off_limits or str(fault)) from fault
    except NoAnswer as fault:
        raise NotTaken(str(fault)) from fault
    if answer.status in ASKS_TO_COME_AGAIN or answer.status >= 500:
        raise NotTaken(f"{who} answers {answer.status}")
    if answer.status >= 300:
        raise Refused(f"{who} answers {answer.status}")
