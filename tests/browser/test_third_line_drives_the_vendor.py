"""Third line opens a vendor case, writes down the answer, closes it and resolves; the contact reads none of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk

SECRET = "Their firmware leaks memory, defect 88"
PUBLIC = "The gateway has a new version and stays up."


def test_a_vendors_fix_reaches_the_contact_in_our_words(desk: Desk, sits_down: SitsDown) -> None:
    kira = sits_down("kira")
    kira.goto(desk.page("vendor"))
    _open_a_case(kira)
    watching = sits_down("kira")
    watching.goto(desk.page("vendor"))
    watching.get_by_role("link", name=re.compile("VC-")).click()
    expect(watching.get_by_text("All tunnels drop at noon.")).to_be_visible()
    _note_the_answer_with_its_number(kira)
    expect(watching.get_by_text(SECRET)).to_be_visible()  # without a reload
    _close_the_case(kira)
    _resolve(kira, desk)
    _the_portal_shows_public_words_alone(sits_down("ann"), desk)


def _open_a_case(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("link", name="Open a vendor case").click()
    page.get_by_label("Severity in the vendor’s terms").select_option("1")
    page.get_by_label("What do you tell the vendor?").fill("All tunnels drop at noon. Please look.")
    page.get_by_label(re.compile("Let the ticket wait")).uncheck()
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_text("The case with Nordvik Networks is open.")).to_be_visible()


def _note_the_answer_with_its_number(page: Page) -> None:
    page.get_by_role("link", name=re.compile("VC-")).click()
    expect(page.get_by_text("All tunnels drop at noon.")).to_be_visible()
    page.get_by_text("The vendor called, or answered elsewhere…").click()
    page.get_by_label("Their number").fill("NV-2026-0815")
    page.get_by_label("What did they say?").fill(SECRET)
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator(".page-header")).to_contain_text("NV-2026-0815")
    expect(page.get_by_text(SECRET)).to_be_visible()


def _close_the_case(page: Page) -> None:
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name=re.compile("[Ff]ixed")).first.click()
    expect(page.get_by_role("heading", name="Write to the vendor")).to_have_count(0)


def _resolve(page: Page, desk: Desk) -> None:
    page.goto(desk.page("vendor"))
    expect(page.locator(".case-line")).to_contain_text("Closed")
    press(page, "d")
    dialog = page.get_by_role("dialog", name=re.compile("Resolve TD-"))
    dialog.get_by_label("How was it solved?").select_option("vendor_fix")
    dialog.get_by_label("What do you tell the contact?").fill(PUBLIC)
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Resolved. The contact is told.")).to_be_visible()


def _the_portal_shows_public_words_alone(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.address}/portal/tickets/{desk.tickets['vendor']}/")
    expect(page.get_by_text(PUBLIC)).to_be_visible()
    shown = page.locator("body").inner_text()
    assert not [word for word in (SECRET, "NV-2026-0815", "Nordvik", "Tunnels drop") if word in shown]
