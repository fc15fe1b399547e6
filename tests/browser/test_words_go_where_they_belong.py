"""A mail that joined the wrong ticket, and two tickets about one matter: put right by keys alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_a_stray_mail_becomes_a_ticket_and_that_is_merged_away_by_keys(
    desk: Desk, sits_down: SitsDown
) -> None:
    page = sits_down("lena")
    number = desk.tickets["plain"]
    desk.mail(desk.emails["ann"], f"Re: [TD-{number}]", "And my phone is dead.")
    page.goto(desk.page("plain"))
    expect(page.get_by_text("And my phone is dead.")).to_be_visible()

    move = page.get_by_role("link", name="Move or split these words").last
    move.focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Where do these words belong?")).to_be_visible()
    page.get_by_label("Subject of a new ticket").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Phone")
    page.keyboard.press("Tab")
    page.keyboard.type("another matter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Phone")).to_be_visible()
    expect(page.get_by_text(f"brought words that had come to TD-{number}: another matter")).to_be_visible()

    press(page, "m")
    expect(page.get_by_role("heading", name=re.compile("duplicate of"))).to_be_visible()
    page.get_by_label("Or the ticket with this number").focus()
    page.keyboard.type(f"TD-{number}")
    page.keyboard.press("Tab")
    page.keyboard.type("the same after all")
    page.keyboard.press("Enter")
    expect(page).to_have_url(desk.page("plain"))
    _said(page, "into it: the same after all")
    _said(page, "moved words that had come here")


def _said(page: Page, words: str) -> None:
    expect(page.locator(".timeline-entry", has_text=words)).to_be_visible()
