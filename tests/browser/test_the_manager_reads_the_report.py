"""The manager sees what each tier did, as a table and as a chart of the same figures."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

DRAWN = """() => [...document.querySelectorAll("data-chart canvas")]
    .map((one) => globalThis.Chart?.getChart(one)?.data.datasets[0].data)"""
TOLD = "rows => rows.map(row => Number(row.cells[1].textContent))"


def test_the_report_has_a_table_and_a_chart_of_the_same_figures(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lou")
    page.goto(desk.address)
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("table", name="By tier").locator("tbody th")).to_contain_text(["L1", "L2", "L3"])
    expect(page.get_by_role("table", name="By client", exact=True)).to_contain_text("Acme GmbH")
    page.wait_for_function(f"() => ({DRAWN})().every(Boolean)")
    rows = page.locator("figure.chart").first.locator("tbody tr")
    assert page.evaluate(f"({DRAWN})()")[0] == rows.evaluate_all(TOLD)


def test_the_periods_are_links_and_the_figures_a_file(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lou")
    page.goto(f"{desk.address}/report/")
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The last 7 days")
    with page.expect_download() as download:
        page.get_by_role("link", name="As a file").click()
    assert download.value.path().read_text().startswith("client,tier,open,")


def test_the_first_line_is_not_shown_the_way_to_the_report(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    page.goto(desk.address)
    expect(page.get_by_role("link", name="Clients")).to_be_visible()
    expect(page.get_by_role("link", name="Report")).to_have_count(0)
