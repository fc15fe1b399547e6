"""An agent signs in to a queue that is not empty, and new trouble appears in it without a reload."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import SitsDown, press, sign_in
from tests.browser.desk import Desk

A_MOMENT_MS = 1000
"""In which news that one page shows have come to another."""


def test_an_agent_signs_in_and_sees_the_queue(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down(None)
    sign_in(page, desk, "lena")
    expect(page).to_have_url(desk.address + "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("My teams")
    expect(page.get_by_role("link", name="Nobody can print invoices")).to_be_visible()


def test_a_wrong_password_is_told_without_saying_which_half_is_wrong(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down(None, java_script_enabled=False)
    page.goto(f"{desk.address}/sign-in/")
    page.get_by_label("E-mail address").fill(desk.emails["lena"])
    page.get_by_label("Password").fill("not-her-password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Address and password do not belong together.")).to_be_visible()
    assert [cookie["name"] for cookie in page.context.cookies()] == ["csrftoken"]


def test_an_alarm_appears_in_the_open_queue(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/queues/all/")
    mark(page)
    desk.alarm("disk-var", "Disk of db1 is full")
    expect(page.get_by_role("link", name="Disk of db1 is full")).to_be_visible()
    assert is_marked(page)


def test_a_mail_appears_in_the_open_queue(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/queues/all/")
    mark(page)
    desk.mail("Ann Albers <ann@acme.example>", "The scanner blinks red", "It blinks and does nothing.")
    expect(page.get_by_role("link", name="The scanner blinks red")).to_be_visible()
    assert is_marked(page)


def test_news_that_comes_before_the_page_listens_is_told_all_the_same(
    desk: Desk, sits_down: SitsDown
) -> None:
    page = sits_down("lena")
    wishes: list[Route] = []
    page.route(re.compile(r"/live(\?.*)?$"), lambda wish: wishes.append(wish))  # it stays on its way
    page.goto(f"{desk.address}/queues/all/")
    desk.mail("Ann Albers <ann@acme.example>", "The slow line", "Whoever opens a page now waits for it.")
    while not desk.look("SELECT 1 FROM tickets_ticket WHERE subject = 'The slow line'"):
        page.wait_for_timeout(100)
    page.wait_for_timeout(3000)
    assert wishes
    for wish in wishes:
        wish.continue_()
    expect(page.get_by_role("link", name="The slow line")).to_be_visible()


def mark(page: Page) -> None:
    """A reload would wipe it away."""
    page.evaluate("window.sameAsBefore = true")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.sameAsBefore === true"))


def test_a_page_that_lies_open_keeps_up_and_acts_on_what_it_shows(desk: Desk, sits_down: SitsDown) -> None:
    """Tom takes what Lena looks at: she reads it beside the ticket, and what she does next is not too late."""
    lena, tom = sits_down("lena"), sits_down("tom")
    desk.mail("Ann Albers <ann@acme.example>", "The lamp hums", "All day long.")
    for page in (lena, tom):
        page.goto(f"{desk.address}/queues/all/")
        page.get_by_role("link", name="The lamp hums").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The lamp hums")
    mark(lena)
    press(tom, "t")
    expect(tom.get_by_text("The ticket is yours.")).to_be_visible()
    expect(lena.locator("#ticket-aside")).to_contain_text("Tom Tran")
    lena.get_by_role("button", name="Resolve").click()
    dialog = lena.get_by_role("dialog", name=re.compile("Resolve TD-"))
    dialog.get_by_label("What do you tell the contact?").fill("It is gone.")
    assert is_marked(lena)
    dialog.get_by_role("button", name="Resolve").click()
    expect(lena.get_by_text("Resolved. The contact is told.")).to_be_visible()


def test_news_leave_an_open_dialog_alone(desk: Desk, sits_down: SitsDown) -> None:
    lena, tom = sits_down("lena"), sits_down("tom")
    desk.mail("Ann Albers <ann@acme.example>", "The lamp blinks", "All day long.")
    for page in (lena, tom):
        page.goto(f"{desk.address}/queues/all/")
        page.get_by_role("link", name="The lamp blinks").click()
    lena.get_by_role("button", name="Resolve").click()
    words = lena.get_by_label("What do you tell the contact?")
    words.fill("Half a sentence")
    press(tom, "t")
    expect(lena.locator("#ticket-aside")).to_contain_text("Tom Tran")
    expect(words).to_have_value("Half a sentence")
    expect(words).to_be_visible()


def test_news_wait_for_an_open_menu(desk: Desk, sits_down: SitsDown) -> None:
    """It is part of what would be fetched anew: it stays, and the news are there once it is closed."""
    lena, lou, tom = sits_down("lena"), sits_down("lou"), sits_down("tom")
    desk.mail("Ann Albers <ann@acme.example>", "The lamp flickers", "All day long.")
    for page in (lena, lou, tom):
        page.goto(f"{desk.address}/queues/all/")
        page.get_by_role("link", name="The lamp flickers").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The lamp flickers")
    lena.get_by_role("button", name="Assign").click()
    nobody = lena.get_by_role("button", name="Nobody: back to the queue")
    expect(nobody).to_be_visible()
    press(tom, "t")
    expect(lou.locator("#ticket-aside")).to_contain_text("Tom Tran")
    lena.wait_for_timeout(A_MOMENT_MS)
    expect(nobody).to_be_visible()
    lena.keyboard.press("Escape")
    expect(nobody).to_be_hidden()
    expect(lena.locator("#ticket-aside")).to_contain_text("Tom Tran")
