"""Who is on call changes hands: by keyboard, with a reason that the others read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk


def test_a_colleague_stands_in_and_goes_again(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/on-call/")
    expect(page.get_by_text("nobody is on call for")).to_be_visible()  # the experts, out of hours
    page.get_by_role("link", name="Open Service Desk on call").press("Enter")

    begins = datetime.now(UTC) + timedelta(hours=3)
    page.get_by_label("Who stands in").select_option("Lou Lead")
    page.get_by_label("From").fill(f"{begins:%Y-%m-%dT%H:%M}")
    page.get_by_label("To", exact=True).fill(f"{begins + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    reason = page.locator("#override-reason")
    reason.fill("Lena swims")
    reason.press("Enter")

    stands_in = page.get_by_role("listitem").filter(has_text="Lena swims")
    expect(stands_in).to_contain_text("Lou Lead")
    expect(stands_in).to_contain_text("said by Lena Lang")
    stands_in.get_by_role("button", name="Take back").press("Enter")
    expect(page.get_by_text("Nobody stands in: everybody has their own turns.")).to_be_visible()


def test_two_shifts_are_swapped(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(f"{desk.address}/on-call/schedules/desk-duty/")
    page.get_by_label("This shift").select_option(index=1)
    page.get_by_label("for this one").select_option(index=2)
    page.locator("#swap-reason").fill("A wedding")
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("listitem").filter(has_text="A wedding")).to_have_count(2)
    desk.write("DELETE FROM oncall_override")


def test_a_layer_is_added_with_its_turns_in_the_settings(desk: Desk, sits_down: SitsDown) -> None:
    """A line of the list of layers holds a list of its own, also when a script adds it."""
    page = sits_down("ada")
    page.goto(f"{desk.address}/settings/schedules/desk-duty/")
    layers = page.get_by_role("group", name="Layers", exact=True)
    layers.get_by_role("button", name="Add a line").last.click()
    added = layers.locator("row-list > ol > li.row-list-row:has(row-list)").last
    added.get_by_label("Name").fill("Sundays")
    added.get_by_role("button", name="Add a line").click()
    names = added.locator("select[name*='turns']").evaluate_all("all => all.map((one) => one.name)")
    assert names == ["layers.2.turns.0", "layers.2.turns.1"]
    added.get_by_role("button", name="Move up").last.click()
    moved = layers.locator("row-list > ol > li.row-list-row:has(row-list)").nth(1)
    expect(moved.get_by_label("Name")).to_have_attribute("name", "layers.1.name")
    expect(moved.get_by_label("Name")).to_have_value("Sundays")


def test_the_shifts_of_another_calendar_are_taken_over(
    desk: Desk, sits_down: SitsDown, tmp_path: Path
) -> None:
    """Of a file as Outlook writes it, by keyboard; afterwards they go again."""
    begins = (datetime.now(UTC) + timedelta(days=2)).date()
    rota = tmp_path / "rota.ics"
    rota.write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"
        + "".join(
            f"BEGIN:VEVENT\nUID:{n}\nDTSTART;VALUE=DATE:{begins + timedelta(days=n):%Y%m%d}\n"
            f"SUMMARY:{name}\nEND:VEVENT\n"
            for n, name in enumerate(["Lou", "Dentist"])
        )
        + "END:VCALENDAR\n"
    )
    page = sits_down("lena")
    page.goto(f"{desk.address}/on-call/schedules/desk-duty/")
    page.get_by_role("link", name="Take it over").press("Enter")
    page.get_by_label("File", exact=False).first.set_input_files(rota)
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“Dentist”")
    page.get_by_label("Dentist").select_option("Leave out")
    page.get_by_role("button", name="Look again").press("Enter")
    expect(page.get_by_text("1 shift comes, 0 stay as they are, 0 go.")).to_be_visible()
    page.get_by_role("button", name="Take over").press("Enter")
    expect(page.get_by_text("1 shift of a calendar lies over the layers")).to_be_visible()
    page.get_by_role("button", name="Take all of them back").press("Enter")
    expect(page.get_by_role("link", name="Take it over")).to_be_visible()
    desk.write("DELETE FROM oncall_override")
