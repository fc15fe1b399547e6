"""A form asks only what it must, keeps what was typed, helps while somebody types, and says what happens next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SitsDown, sign_in
from tests.browser.desk import Desk


def test_a_contact_fills_in_a_form_and_a_reload_costs_nothing(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ann")
    page.goto(f"{desk.address}/portal/new/")
    page.get_by_role("link", name="A new colleague starts").click()
    expect(page.get_by_label("How many screens?")).to_be_hidden()
    page.get_by_label("Who starts?").fill("Nele Neu")
    page.get_by_label("From when on?").fill("2026-12-01")
    page.get_by_role("radio", name="Laptop").check()
    page.get_by_label("How many screens?").fill("2")
    page.get_by_label("What else?").fill("Is there a loan device?")
    expect(page.get_by_role("region", name="What may help")).to_contain_text("at the reception")
    page.wait_for_function(
        "Object.keys(localStorage).some((key) => localStorage[key].includes('loan device'))"
    )

    page.reload()
    expect(page.get_by_label("Who starts?")).to_have_value("Nele Neu")
    expect(page.get_by_label("From when on?")).to_have_value("2026-12-01")
    expect(page.get_by_role("radio", name="Laptop")).to_be_checked()
    expect(page.get_by_label("How many screens?")).to_have_value("2")
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("We have your request")
    expect(page.locator("main")).to_contain_text(re.compile(r"TD-\d+: New colleague: Nele Neu"))
    expect(page.locator("main")).to_contain_text("A colleague will look at it by")
    expect(page.get_by_role("listitem").filter(has_text="We order the device.")).to_be_visible()
    page.goto(f"{desk.address}/portal/forms/starter/")
    expect(page.get_by_label("Who starts?")).to_have_value("")


def test_words_that_a_page_of_errors_answered_are_there_again(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ann")
    page.goto(f"{desk.address}/portal/forms/starter/")
    page.get_by_label("Who starts?").fill("Late Lars")
    page.get_by_label("From when on?").fill("2026-12-01")
    page.get_by_role("radio", name="Telephone").check()
    page.locator("auto-save-draft form").evaluate("form => (form.action = '/portal/forms/of-last-year/')")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    page.goto(f"{desk.address}/portal/forms/starter/")
    expect(page.get_by_label("Who starts?")).to_have_value("Late Lars")
    expect(page.get_by_role("radio", name="Telephone")).to_be_checked()


def test_an_answer_taken_back_is_not_asked_for(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ann")
    page.goto(f"{desk.address}/portal/forms/starter/")
    page.get_by_label("Who starts?").fill("Otto Alt")
    page.get_by_label("From when on?").fill("2026-12-01")
    page.get_by_role("radio", name="Laptop").check()
    page.get_by_role("radio", name="Telephone").check()
    expect(page.get_by_label("How many screens?")).to_be_hidden()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your request")


def test_anybody_sends_a_public_form_without_scripts(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down(None, java_script_enabled=False)
    page.goto(f"{desk.address}/portal/public/ACME/hello/")
    expect(page.get_by_label("Leave this empty")).not_to_be_in_viewport()
    page.get_by_label("Your name").fill("Sam Stranger")
    page.get_by_label("Your e-mail address").fill("sam@elsewhere.example")
    page.get_by_label("What is it about?").fill("The door does not open.")
    page.get_by_role("radio", name="Telephone").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your words")
    expect(page.locator("main")).to_contain_text("Somebody answers by mail.")


def test_who_is_not_signed_in_comes_back_to_the_form(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down(None)
    page.goto(f"{desk.address}/portal/forms/starter/")
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/portal/forms/starter/"))


@pytest.mark.parametrize("way_back", ["the link", "the browser's"])
@pytest.mark.parametrize("megabytes", [101, 120], ids=["refused by the page", "refused at the doorstep"])
def test_an_absurd_file_costs_nothing_of_what_was_typed(
    desk: Desk, sits_down: SitsDown, tmp_path: Path, megabytes: int, way_back: str
) -> None:
    film = tmp_path / "film.mov"
    with film.open("wb") as file:
        file.truncate(megabytes * 2**20)
    page = sits_down("ann")
    page.goto(f"{desk.address}/portal/new/")
    page.get_by_label("What is it about?").fill("The film is too long")
    page.get_by_label("What happened?").fill("See for yourself.")
    page.get_by_label("Files").set_input_files(film)
    page.get_by_role("radio").first.check(force=True)
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("body")).to_contain_text("That is far too large")
    if way_back == "the browser's":
        page.go_back()
    elif megabytes < 110:
        page.get_by_role("link", name="Back to the form").click()
    else:
        page.goto(f"{desk.address}/portal/new/")
    expect(page.get_by_label("What is it about?")).to_have_value("The film is too long")
    expect(page.get_by_label("What happened?")).to_have_value("See for yourself.")


def test_nor_does_it_cost_anything_that_one_was_signed_out_meanwhile(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ann")
    page.goto(f"{desk.address}/portal/new/")
    page.get_by_label("What is it about?").fill("The door does not lock")
    page.get_by_label("What happened?").fill("It stands open at night.")
    page.get_by_role("radio").first.check(force=True)
    page.context.clear_cookies(name="tierdesk")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(page, desk, "ann")
    page.wait_for_url(f"{desk.address}/portal/")
    page.goto(f"{desk.address}/portal/new/")
    expect(page.get_by_label("What happened?")).to_have_value("It stands open at night.")
