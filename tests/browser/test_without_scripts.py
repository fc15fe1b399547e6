"""Without JavaScript the work goes on: every form is a form."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk


def test_a_ticket_is_taken_answered_and_resolved(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena", java_script_enabled=False)
    page.goto(desk.page("plain"))
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_text("The ticket is yours.")).to_be_visible()
    page.get_by_label("Your words").fill("We rebuild the search index now.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Reply sent.")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("We rebuild the search index now.")
    page.get_by_role("button", name="Resolve").click()
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("What do you tell the contact?").fill("The index is rebuilt.")
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Resolved. The contact is told.")).to_be_visible()


def test_a_call_is_logged(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena", java_script_enabled=False)
    page.goto(f"{desk.address}/calls/new/")
    page.get_by_label("Client, if the person is not known").select_option(label="Acme GmbH")
    page.get_by_label("What is wrong?").fill("A call without scripts")
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A call without scripts")


def test_a_source_of_snmp_3_is_made_and_what_is_wrong_is_told_at_its_field(
    desk: Desk, sits_down: SitsDown
) -> None:
    page = sits_down("ada", java_script_enabled=False)
    page.goto(f"{desk.address}/settings/new/alarm_sources/?client=BOR")
    page.get_by_label("Key", exact=True).fill("core")
    page.get_by_label("Name", exact=True).fill("Core routers")
    page.get_by_label("Secret").fill("signs-what-it-says")
    page.get_by_label("Over when unheard for").fill("1 h")
    page.get_by_role("group", name="Sends from").get_by_role("textbox").first.fill("10.0.0.8")
    page.get_by_label("User of SNMP version 3").fill("router")
    page.get_by_label("Passphrase it encrypts with").fill("hides-what-it-says")
    page.get_by_label("Speaks").select_option("syslog")
    page.get_by_role("main").get_by_role("button", name="Review").click()
    expect(page.get_by_role("alert")).to_contain_text("Only SNMP traps have a user")
    expect(page.get_by_label("User of SNMP version 3")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Speaks").select_option("snmp_trap")
    page.get_by_role("main").get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Core routers: added.")).to_be_visible()
