"""Machines wait while a page is being made, and never for long."""

from __future__ import annotations

import asyncio

from tierdesk.web.courtesy import Courtesy


def test_nobody_waits_while_no_page_is_made() -> None:
    asyncio.run(asyncio.wait_for(Courtesy(at_most_s=60).give_way(), 5))


def test_they_wait_until_the_last_page_is_made() -> None:
    async def story() -> list[str]:
        courtesy, told = Courtesy(at_most_s=60), list[str]()

        async def machine() -> None:
            await courtesy.give_way()
            told.append("machine")

        with courtesy.page():
            with courtesy.page():
                waiting = asyncio.create_task(machine())
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            told.append("page")
        await waiting
        return told

    assert asyncio.run(asyncio.wait_for(story(), 5)) == ["page", "machine"]


def test_a_page_without_end_holds_nobody_up() -> None:
    async def story() -> None:
        courtesy = Courtesy(at_most_s=0.01)
        with courtesy.page():
            await courtesy.give_way()

    asyncio.run(asyncio.wait_for(story(), 5))


def test_a_page_that_fails_is_made_no_longer() -> None:
    async def story() -> None:
        courtesy = Courtesy(at_most_s=60)
        try:
            with courtesy.page():
                raise RuntimeError("it fell")
        except RuntimeError:
            await courtesy.give_way()

    asyncio.run(asyncio.wait_for(story(), 5))
