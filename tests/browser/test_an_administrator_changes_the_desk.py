"""One whole edit in the browser: a client is added, a promise tightened, nonsense refused, two at once told apart."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown, press
from tests.browser.desk import Desk


def review(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Review").click()


def test_a_client_is_added_by_keyboard(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada")
    page.goto(desk.address)
    expect(page).to_have_url(f"{desk.address}/settings/")
    page.get_by_role("main").get_by_role("link", name="Clients").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clients")
    press(page, "n")
    page.get_by_label("Key", exact=True).focus()
    page.keyboard.type("POLAR")
    page.keyboard.press("Tab")
    page.keyboard.type("Polar Bikes")
    domains = page.get_by_role("group", name="Mail domains")
    domains.get_by_role("textbox").fill("polar.example")
    domains.get_by_role("button", name="Add a line").click()
    expect(domains.get_by_role("textbox").nth(1)).to_be_focused()
    page.keyboard.type("polar.test")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This will change")
    expect(page.get_by_role("main")).to_contain_text("polar.test")
    press(page, "Control+Enter")
    expect(page.get_by_text("Polar Bikes: added.")).to_be_visible()
    expect(page.get_by_role("row", name="Polar Bikes")).to_contain_text("polar.example, polar.test")


def test_nonsense_is_refused_at_its_field_and_a_promise_is_tightened(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/contracts/BOR~standard/")
    page.get_by_label("P1 Resolve").fill("three hours")
    page.get_by_label("P3 Update").fill("6 h")
    review(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    page.get_by_role("link", name="Promises: P1 Resolve").click()
    expect(page.get_by_label("P1 Resolve")).to_have_value("three hours")
    expect(page.get_by_label("P1 Resolve")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("P3 Update")).to_have_value("6 h")
    page.get_by_label("P1 Resolve").fill("3 h")
    review(page)
    change = page.locator(".change", has_text="Promises · P1 · Resolve")
    expect(change.locator("del")).to_contain_text("4 h")
    expect(change.locator("ins")).to_contain_text("3 h")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Borealis Inc. standard support: changed.")).to_be_visible()
    page.goto(f"{desk.address}/settings/contracts/BOR~standard/")
    expect(page.get_by_label("P1 Resolve")).to_have_value("3 h")


def test_two_administrators_do_not_overwrite_one_another(desk: Desk, sits_down: SitsDown) -> None:
    first, second = sits_down("ada"), sits_down("ada")
    for page in (first, second):
        page.goto(f"{desk.address}/settings/teams/northern/")
    first.get_by_label("Name").fill("Northern Lights")
    review(first)
    first.get_by_role("button", name="Apply").click()
    expect(first.get_by_text("Northern Lights: changed.")).to_be_visible()
    second.get_by_label("Name").fill("North")
    review(second)
    expect(second.get_by_text("Somebody else changed this meanwhile")).to_be_visible()
    expect(second.get_by_role("row", name="Name")).to_contain_text("Northern Lights")
    expect(second.get_by_label("Name", exact=True)).to_have_value("North")


def test_rows_are_taken_out_and_moved_in_place(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/new/schedules/")
    turns = page.get_by_role("group", name="Turns")
    turns.get_by_role("combobox").first.select_option(label="Lena Lang")
    turns.get_by_role("button", name="Add a line").click()
    turns.get_by_role("combobox").nth(1).select_option(label="Tom Tran")
    turns.get_by_role("button", name="Move up").last.click()
    chosen = turns.get_by_role("combobox")
    expect(chosen.nth(0)).to_have_value("tom@desk.example")
    page.get_by_label("Key", exact=True).fill("rota")
    review(page)
    expect(page.get_by_role("alert")).to_contain_text("Name")
    expect(chosen.nth(0)).to_have_value("tom@desk.example")
    expect(chosen.nth(1)).to_have_value("lena@desk.example")
    turns.get_by_role("button", name="Take out").first.click()
    expect(chosen.nth(0)).to_have_value("lena@desk.example")


def test_without_scripts_a_calendar_is_changed(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada", java_script_enabled=False)
    page.goto(f"{desk.address}/settings/calendars/office-ny/")
    page.get_by_label("Friday to, 1").fill("15:00")
    closed = page.get_by_role("group", name="Closed on")
    closed.locator("input").first.fill("2026-12-25")
    closed.get_by_role("button", name="Add a line").click()
    closed.locator("input").nth(1).fill("2027-01-01")
    page.get_by_label("Friday to, 1").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This will change")
    main = page.get_by_role("main")
    expect(main).to_contain_text("The week · Friday")
    expect(main).to_contain_text("2027-01-01")
    expect(main).to_contain_text("Borealis Inc. standard support")
    page.get_by_role("button", name="Go on editing").click()
    expect(page.get_by_label("Friday to, 1")).to_have_value("15:00")


def test_a_finding_of_the_desk_file_leads_to_its_line(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/desk/")
    editor = page.get_by_label("The desk, as YAML")
    editor.fill("teams:\n  - {key: x, name: X, tier: L1}\n  - {key: y, nonsense: 1}\n")
    page.get_by_role("button", name="Show the difference").click()
    page.get_by_role("link", name="Line 3").first.click()
    expect(editor).to_be_focused()
    marked = "el => el.value.slice(el.selectionStart, el.selectionEnd)"
    assert editor.evaluate(marked) == "  - {key: y, nonsense: 1}"


def test_what_is_for_everybody_is_added_too(desk: Desk, sits_down: SitsDown) -> None:
    """“Everybody” is an answer to “for which client?”, though it names none."""
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/new/mailboxes/")
    press(page, "Control+Enter")
    page.get_by_label("Address", exact=True).fill("all@desk.example")
    review(page)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("all@desk.example: added.")).to_be_visible()


def test_a_source_of_alarms_is_asked_what_belongs_to_what_it_speaks(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/new/alarm_sources/?client=BOR")
    user, sends_from = (
        page.get_by_label("User of SNMP version 3"),
        page.get_by_role("group", name="Sends from"),
    )
    expect(page.get_by_label("Speaks")).to_be_visible()
    expect(user).to_be_hidden()
    page.get_by_label("Speaks").select_option("snmp_trap")
    user.fill("router")
    sends_from.get_by_role("textbox").fill("10.0.0.9")
    page.get_by_label("Speaks").select_option("syslog")
    expect(user).to_be_hidden()
    expect(sends_from).to_be_visible()
    page.get_by_label("Key", exact=True).fill("servers")
    page.get_by_label("Name", exact=True).fill("Servers")
    page.get_by_label("Over when unheard for").fill("1 h")
    review(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("This will change")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Servers: added.")).to_be_visible()
