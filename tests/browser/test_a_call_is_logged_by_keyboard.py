"""A call comes in, and no hand leaves the keyboard."""

from __future__ import annotations

import re
import time

from playwright.sync_api import expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk

SECONDS_FOR_A_CALL = 20
TYPING_MS = 25
"""Per key: some forty keys a second, so that the desk's share of the time shows."""


def test_a_call_becomes_my_ticket_within_twenty_seconds(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.address)
    began = time.monotonic()
    press(page, "c")
    expect(page.get_by_label("Who is calling?")).to_be_focused()
    page.keyboard.type("+49301234501", delay=TYPING_MS)
    expect(page.get_by_role("radio", name=re.compile("Ann Albers"))).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.name === 'subject'"):
        page.keyboard.press("Tab")
    page.keyboard.type("The monitor stays black", delay=TYPING_MS)
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/tickets/\d+/$"))
    took = time.monotonic() - began
    print(f"a call took {took:.1f} s")
    expect(page.get_by_role("heading", level=1)).to_have_text("The monitor stays black")
    expect(page.locator("aside .properties, .page-aside .properties").first).to_contain_text("Lena Lang")
    assert took < SECONDS_FOR_A_CALL


def test_who_types_before_the_page_is_ready_is_found_all_the_same(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.add_init_script(
        """document.addEventListener("readystatechange", () => {
          const field = document.querySelector("#field-caller");
          if (document.readyState === "interactive" && field) field.value = "alb";
        })"""
    )
    page.goto(f"{desk.address}/calls/new/")
    expect(page.get_by_role("radio", name=re.compile("Ann Albers"))).to_be_checked()


def test_the_arrows_choose_among_several_callers(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/calls/new/")
    page.keyboard.type("acme", delay=TYPING_MS)
    expect(page.get_by_role("radio")).to_have_count(3)  # the two, and somebody else there
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.name === 'contact'"):
        page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Somebody else at Acme GmbH")).to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("Arne Voss"))).to_be_checked()
    page.get_by_label("What is wrong?").fill("Arne hears nothing")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Arne hears nothing")
    expect(page.get_by_role("link", name="arne@acme.example")).to_be_visible()


def test_a_call_from_nobody_says_what_to_choose(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/calls/new/")
    page.get_by_label("What is wrong?").fill("Who am I?")
    page.keyboard.press("Control+Enter")  # nobody is named at all: the desk says so
    expect(page.locator(".field-error").first).to_contain_text("at least the client")
    expect(page.get_by_label("What is wrong?")).to_have_value("Who am I?")
    page.get_by_label("Who is calling?").fill("zzz")
    expect(page.get_by_text("Nobody we know.")).to_be_visible()
    page.get_by_label("What is wrong?").focus()
    page.keyboard.press("Control+Enter")  # nobody is found: the client has to be chosen
    expect(page.get_by_label("Client, if the person is not known")).to_be_focused()
    page.keyboard.type("Acme")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who am I?")
