"""Deadlines can be opened and understood, a broken one says so, and two agents never both win."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_a_broken_promise_has_a_banner_that_leads_to_its_explanation(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("late"))
    banner = page.locator(".banner", has_text="is broken")
    expect(banner).to_contain_text("over")
    banner.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How this deadline came about")
    expect(page.locator(".time-bar")).to_be_visible()
    for where in (".time-bar-picture", ".time-bar-legend"):
        dashes = {
            kind: page.locator(f'{where} .time-bar-mark[data-kind="{kind}"]').evaluate(
                "mark => getComputedStyle(mark).strokeDasharray"
            )
            for kind in ("due", "now")
        }
        assert dashes["due"] != dashes["now"] == "none", "told apart without colours"
    windows = page.get_by_role("table", name="Working time that counts")
    expect(windows.locator("tbody tr").last).to_contain_text(re.compile(r"\d+ ?h"))


def test_every_promise_of_a_ticket_can_be_opened(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("late"))
    addresses = page.locator(".clock-card a.clock").evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) >= 4
    for address in addresses:
        page.goto(address)
        expect(page.get_by_role("table", name="Working time that counts")).to_be_visible()


def test_of_two_agents_who_resolve_at_once_the_second_is_told(desk: Desk, sits_down: SitsDown) -> None:
    lena, lou = sits_down("lena"), sits_down("lou")
    lena.goto(desk.page("race"))
    lou.goto(desk.page("race"))
    _write_resolution(lena, "Clear the cache.")
    _write_resolution(lou, "Sign in again.")
    _send_resolution(lena)
    expect(lena.get_by_text("Resolved. The contact is told.")).to_be_visible()
    _send_resolution(lou)
    expect(lou.get_by_text(re.compile("changed by somebody else"))).to_be_visible()
    expect(lou.locator("#ticket .state").first).to_contain_text("Resolved")
    expect(lou.locator("#timeline")).to_contain_text("Clear the cache.")
    expect(lou.locator("#timeline")).not_to_contain_text("Sign in again.")
    told = desk.look(
        "SELECT count(*) FROM tickets_message WHERE ticket_id = %s AND direction = 'outbound'",
        desk.tickets["race"],
    )
    assert told == [(1,)]


def _write_resolution(page: Page, text: str) -> None:
    press(page, "d")
    page.get_by_label("What do you tell the contact?").fill(text)


def _send_resolution(page: Page) -> None:
    page.get_by_role("dialog", name=re.compile("Resolve")).get_by_role("button", name="Resolve").click()
