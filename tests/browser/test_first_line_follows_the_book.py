"""First line takes a ticket, follows the cookbook in the page, and asks: the ticket waits, its clock stands still."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_a_ticket_is_taken_its_book_followed_and_a_question_asked(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("book"))
    press(page, "t")
    expect(page.get_by_text("The ticket is yours.")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Lena Lang took it")
    _follow_the_book_to_the_hand_up(page)
    press(page, "r")
    page.keyboard.type("Which network are you on?")
    page.get_by_label("Wait for the answer").check()
    page.get_by_label("Your words").press("Control+Enter")
    expect(page.get_by_text("Question sent; the ticket waits for the answer.")).to_be_visible()
    expect(page.locator("#ticket .state").first).to_contain_text("Waiting")
    expect(page.locator("#timeline")).to_contain_text("Which network are you on?")
    resolve = page.locator(".clock-card", has_text=re.compile("client")).filter(has_text=re.compile("Resol"))
    expect(resolve.locator(".clock")).to_have_attribute("data-state", "paused")
    expect(resolve).to_contain_text("paused,")


def _follow_the_book_to_the_hand_up(page: Page) -> None:
    press(page, "b")
    run = page.locator("#run")
    expect(run).to_contain_text("Who is affected?")
    run.get_by_role("button", name="One person").click()
    expect(run).to_contain_text("Is the person on the internet?")
    run.get_by_role("button", name="The page opens").click()
    expect(run).to_contain_text("What does the client say?")
    expect(run.locator(".step[data-state=done], [data-state=done]")).to_have_count(2)
    run.get_by_role("button", name="Time-out or no answer").click()
    run.get_by_role("button", name="Fails there as well").click()
    ended = page.locator(".fold")
    expect(ended).to_contain_text("sends it up")
    expect(page.locator("#run")).to_have_count(0)
