"""A major incident by keys alone: declared, joined by another ticket, told to everybody, solved with all it has."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk

NEWS = "A line of our carrier is down. You hear from us again within the hour."


def test_a_lead_declares_it_and_one_broadcast_reaches_the_other_ticket_by_keys(
    desk: Desk, sits_down: SitsDown
) -> None:
    page = sits_down("lou")
    page.goto(desk.page("wide"))
    press(page, "i")
    expect(page.get_by_role("heading", name=re.compile("part of something bigger"))).to_be_visible()
    page.get_by_label("Why is it a major incident?").focus()
    page.keyboard.type("Acme cannot telephone.")
    page.get_by_role("button", name="Declare a major incident").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Nobody gets a line out")).to_be_visible()
    board = page.url

    press(page, "l")
    page.keyboard.type(f"TD-{desk.tickets['narrow']}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=f"TD-{desk.tickets['narrow']}")).to_be_visible()

    press(page, "b")
    page.keyboard.type(NEWS)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message", has_text=NEWS)).to_be_visible()
    _happened(page, "the broadcast reached its children")

    _the_contact_reads_it(desk, sits_down("ann"))
    press(page, "o")
    expect(page.get_by_text("This is a major incident")).to_be_visible()
    press(page, "i")
    expect(page).to_have_url(board)


def _the_contact_reads_it(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.address}/portal/tickets/{desk.tickets['narrow']}/")
    expect(page.get_by_text(NEWS)).to_be_visible()
    expect(page.get_by_text("part of a wider disturbance")).to_be_visible()


def _happened(page: Page, words: str) -> None:
    expect(page.locator(".timeline-entry", has_text=words)).to_be_visible()
