"""A page that waits goes to whoever is on call, or next, when it leaves, not to whom it was worked out for.

It waits for a shift to begin, for a way that its person takes later, or because too much was sent to them. Meanwhile
shifts are swapped, somebody stands in, or a turn is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tierdesk.response.paging.pages import Page, PageState
from tierdesk.response.paging.people import Called, on_duty


def belongs(page: Page, now: Called | None) -> bool:
    """Whether it still goes to its person, at its time, where `now` has the duty. Pure.

    Where nobody ever has it, it goes to whom it was worked out for rather than to nobody.
    """
    if now is None:
        return True
    if page.agent_id != now.agent.pk:
        return False
    return page.shift_at == now.at if now.is_held else page.shift_at is None or page.shift_at <= now.at


def follow(pages: Sequence[Page], at: datetime) -> list[Page]:
    """Those of these that stay where they are; the others go to whoever is meant now, and the timeline says so."""
    duties: dict[str, Called | None] = {}
    moved: set[tuple[int, int, int, int]] = set()
    staying = []
    for page in pages:
        if not page.target:
            staying.append(page)
            continue
        if page.target not in duties:
            duties[page.target] = on_duty(page.target, at)
        now = duties[page.target]
        if now is None or belongs(page, now):
            staying.append(page)
        elif (group := (page.paging_id, page.loop, page.step, page.agent_id)) not in moved:
            moved.add(group)
            page.paging.move(page, now)
    return staying


def follow_schedules(schedules: Iterable[Any], at: datetime) -> None:
    """Who is on call by these may have changed: what waits for somebody goes to whoever it is now, at once."""
    targets = [f"{kind}:{schedule.key}" for schedule in schedules for kind in ("schedule", "next")]
    waiting = Page.objects.filter(state=PageState.PENDING, wake_at__gt=at, target__in=targets).whole()
    follow(list(waiting.order_by("id").select_for_update(skip_locked=True, of=("self",))), at)
