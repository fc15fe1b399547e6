"""“It is done by Thursday night”, said on the phone: the date is asked for next, and told what it counts as."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def test_what_was_promised_on_the_phone_becomes_a_clock(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/calls/new/")
    page.get_by_label("Who is calling?").press_sequentially("ann@acme.example", delay=25)
    expect(page.get_by_role("radio", name=re.compile("Ann Albers"))).to_be_checked()
    page.get_by_label("What is wrong?").fill("The scanner is gone")
    page.get_by_label("I promised by when it is solved").check()
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/tickets/\d+/date/$"))

    night = (datetime.now(UTC) + timedelta(days=3)).replace(hour=23, minute=30)
    page.get_by_label("Solved by").fill(f"{night:%Y-%m-%dT%H:%M}")
    page.get_by_label("To whom did you say so").fill("Ann needs it for the audit")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is outside the hours")).to_be_visible()
    expect(page.get_by_label("To whom did you say so")).to_have_value("Ann needs it for the audit")
    page.get_by_role("button", name="Promise it so").click()

    expect(page).to_have_url(re.compile(r"/tickets/\d+/$"))
    expect(page.locator(".clock-card", has_text="Promised date · client")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Ann needs it for the audit")
    press(page, "l")
    expect(page.get_by_role("heading", level=1)).to_have_text("Move the promised date")
    expect(page.get_by_text("Lena Lang promised that it is solved by")).to_be_visible()
