"""The queue is walked by keys, and the keys explain themselves."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_keys_walk_the_queue_and_enter_opens_the_ticket(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/queues/all/")
    links = page.locator(".queue-link")
    for key in "jjjk":
        press(page, key)
    expect(links.nth(1)).to_be_focused()
    wanted = links.nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.address}{wanted}")


def test_keys_pick_what_is_parked_and_try_it_again(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/parked/")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_hidden()
    _press(page, "j", "x")
    expect(page.locator("tbody .pick").first).to_be_checked()
    expect(again).to_contain_text("(1)")
    _press(page, "x")
    expect(again).to_be_hidden()
    page.get_by_label("Pick all that are shown").check()
    expect(again).to_be_visible()
    _press(page, "t")
    expect(page.get_by_role("region", name="What came of them").first).to_contain_text("Still parked")


def test_the_question_mark_shows_the_keys_of_this_page(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("plain"))
    press(page, "?")
    shown = page.get_by_role("dialog", name="Keyboard shortcuts")
    for words in ("Take", "Escalate", "Resolve", "Reply", "Log a call"):
        expect(shown.locator("dt", has_text=re.compile(f"^{words}"))).not_to_have_count(0)
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()


def test_a_letter_in_a_field_is_a_letter(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("plain"))
    press(page, "n")
    page.keyboard.type("te? Not taken")
    expect(page.get_by_label("Your words")).to_have_value("te? Not taken")
    expect(page.get_by_text("Only colleagues will see this")).to_be_visible()


def test_sequences_lead_to_pages(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.page("plain"))
    _press(page, "g", "m")
    expect(page).to_have_url(f"{desk.address}/queues/mine/")
    _press(page, "g", "c")
    expect(page).to_have_url(f"{desk.address}/clients/")


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        press(page, key)
