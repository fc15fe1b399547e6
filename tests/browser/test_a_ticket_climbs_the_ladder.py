"""Escalation in two browsers: the gate says what is missing, the pack is there, it comes back, it is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_a_hand_over_is_sent_returned_sent_again_and_accepted(desk: Desk, sits_down: SitsDown) -> None:
    lena, tom = sits_down("lena"), sits_down("tom")
    lena.goto(desk.page("ladder"))
    press(lena, "t")
    expect(lena.get_by_text("The ticket is yours.")).to_be_visible()
    _the_gate_is_closed_and_the_pack_prefilled(lena)
    _hand_over(lena, ask="Is the tunnel up on your side?")
    _return(tom, desk, meanwhile=lambda: _note(lena))
    lena.goto(desk.page("ladder"))
    expect(lena.locator("#ticket")).to_contain_text("Which gateway is it?")
    press(lena, "e")
    _hand_over(lena, ask="Gateway gw-2: is the tunnel up on your side?")
    tom.goto(desk.page("ladder"))
    press(tom, "y")
    expect(tom.get_by_text("Accepted; the ticket is yours.")).to_be_visible()
    [(tier, returns, assignee)] = desk.look(
        "SELECT tier, return_count, u.name FROM tickets_ticket t JOIN staff_agent a ON a.id = t.assignee_id "
        "JOIN staff_user u ON u.id = a.user_id WHERE t.id = %s",
        desk.tickets["ladder"],
    )
    assert (tier, returns, assignee) == (2, 1, "Tom Tran")


def _the_gate_is_closed_and_the_pack_prefilled(page: Page) -> None:
    press(page, "e")
    expect(page.get_by_role("heading", level=1)).to_contain_text("up")
    gate = page.locator(".gate")
    expect(gate).to_contain_text("Choose a reason.")
    expect(gate).to_contain_text("What exactly do you ask of the next tier?")
    expect(page.get_by_label("What goes wrong, in one sentence?")).to_have_value(
        "Gateway refuses the branch office"
    )
    expect(page.get_by_label("Who and what is affected, who is not?")).to_have_value(re.compile("Ann Albers"))


def _hand_over(page: Page, *, ask: str) -> None:
    page.get_by_label("To whom?").select_option(label="L2 · Operations")
    page.get_by_label("Why is this tier not enough?").select_option("skill")
    page.get_by_label("What was tried, with which result?").fill("Restarted the client; the same.")
    page.get_by_label("What exactly do you ask of the next tier?").fill(ask)
    bypass = page.get_by_label(re.compile("If a book was not followed"))
    if bypass.count():
        bypass.fill("The book is for one person; this is a site.")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Handed to Operations.")).to_be_visible()


def _note(page: Page) -> None:
    page.get_by_text("Note", exact=True).first.click()
    page.get_by_placeholder("Write in Markdown").fill("They called again.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ticket")).to_contain_text("They called again.")
    page.wait_for_timeout(1000)  # by then others have heard


def _return(page: Page, desk: Desk, *, meanwhile: Callable[[], None]) -> None:
    page.goto(desk.address)
    page.get_by_role("link", name="Gateway refuses the branch office").click()
    hand_over = page.locator("#hand-over")
    expect(hand_over).to_contain_text("Is the tunnel up on your side?")
    hand_over.get_by_role("button", name="Return").click()
    dialog = page.get_by_role("dialog", name=re.compile("Return the hand-over"))
    expect(dialog).to_be_visible()
    meanwhile()
    dialog.get_by_label("Why?").select_option("missing_info")
    dialog.get_by_label("What is missing").fill("Which gateway is it?")
    dialog.get_by_role("button", name="Return").click()
    expect(page.get_by_text("Returned.", exact=True)).to_be_visible()
