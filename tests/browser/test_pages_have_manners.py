"""Every page, in the browser: one heading, a language, labels, unique ids, no wider than its window, no complaint."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

PAGES = [
    "/",
    "/queues/mine/",
    "/queues/unassigned/",
    "/queues/due/",
    "/queues/escalated/",
    "/queues/pending/",
    "/queues/all/",
    "/search/?q=vpn",
    "/search/?q=zzzz",
    "/calls/",
    "/calls/new/",
    "/tickets/{book}/",
    "/tickets/{late}/",
    "/tickets/{vendor}/",
    "/tickets/{vendor}/cases/",
    "/tickets/{late}/escalation/",
    "/tickets/{late}/date/",
    "/tickets/{late}/client/",
    "/tickets/{late}/problem/",
    "/problems/",
    "/queues/all/?type=request",
    "/tickets/{late}/major/",
    "/tickets/{outage}/",
    "/major/",
    "/major/1/",
    "/books/",
    "/books/1/",
    "/gaps/",
    "/clients/",
    "/clients/ACME/",
    "/on-call/",
    "/on-call/me/",
    "/on-call/schedules/desk-duty/",
    "/on-call/schedules/desk-duty/calendar/",
    "/parked/",
    "/parked/1/",
    "/notices/",
    "/shifts/desk/",
    "/report/",
    "/report/movement/",
    "/report/attainment/",
]
SETTINGS = [
    "/settings/",
    "/settings/?q=acme",
    "/settings/check/",
    "/settings/desk/",
    "/settings/what-if/",
    "/settings/channels/",
    "/settings/mail/",
    "/settings/mail/1/",
    "/settings/mail/2/",
    "/settings/contacts/",
    "/settings/sites/",
    "/settings/new/clients/",
    "/settings/new/contacts/",
    "/settings/new/procedures/?client=ACME",
    "/settings/new/schedules/",
    "/settings/schedules/desk-duty/",
    "/settings/new/books/?client=",
    "/settings/clients/ACME/",
    "/settings/calendars/office-de/",
    "/settings/contracts/ACME~standard/",
    "/settings/agents/lou@desk.example/",
    "/settings/alarm_sources/ACME~prometheus/",
    "/settings/underpinning_contracts/nordvik~Gateway/",
]
PORTAL = ["/portal/", "/portal/new/", "/portal/tickets/{late}/", "/portal/link/"]
PORTAL += ["/portal/forms/starter/", "/portal/public/ACME/hello/"]

FAULTS = """() => {
    const faults = [];
    const headings = document.querySelectorAll("h1").length;
    if (headings !== 1) faults.push(`${headings} h1`);
    if (!document.documentElement.lang) faults.push("no lang");
    if (!document.title.trim()) faults.push("no title");
    const nameOf = (one) => [...(one.labels ?? [])].map((label) => label.textContent).join("")
        || one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || "";
    for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
        if (!nameOf(one).trim()) faults.push(`no label: ${one.outerHTML.slice(0, 90)}`);
    const pictured = (one) => one.querySelector("[aria-label]")?.ariaLabel ?? "";
    for (const one of document.querySelectorAll("a[href], button"))
        if (!(nameOf(one) + one.textContent + pictured(one)).trim())
            faults.push(`no name: ${one.outerHTML.slice(0, 90)}`);
    for (const one of document.querySelectorAll("label[for]"))
        if (!document.getElementById(one.htmlFor)) faults.push(`label of nothing: ${one.htmlFor}`);
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id twice: ${id}`);
    for (const one of document.querySelectorAll("table [data-words]"))
        if (one.offsetWidth && one.offsetWidth < 160) faults.push(`squeezed: ${one.textContent.slice(0, 90)}`);
    const text = document.createRange();
    for (const one of document.querySelectorAll(".duty-weekday")) {
        text.selectNodeContents(one);
        if (text.getBoundingClientRect().width > one.offsetWidth - 3)
            faults.push(`runs into the next: ${one.textContent}`);
    }
    for (const one of document.querySelectorAll("button .kbd-sequence"))
        if (one.checkVisibility() && !one.innerText.trim())
            faults.push(`room for no key: ${one.closest("button").textContent.trim()}`);
    const width = document.documentElement.scrollWidth;
    if (width > innerWidth) faults.push(`${width} wide in ${innerWidth}`);
    return faults;
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_has_manners(desk: Desk, sits_down: SitsDown, width: int) -> None:
    page = sits_down("lou", viewport={"width": width, "height": 844})
    assert _faults(page, desk, PAGES) == {}


@pytest.mark.parametrize("width", [1440, 390])
def test_so_has_every_page_of_the_portal(desk: Desk, sits_down: SitsDown, width: int) -> None:
    page = sits_down("ann", viewport={"width": width, "height": 844})
    assert _faults(page, desk, PORTAL) == {}


@pytest.mark.parametrize("width", [1440, 390])
def test_so_has_every_page_of_the_settings(desk: Desk, sits_down: SitsDown, width: int) -> None:
    page = sits_down("ada", viewport={"width": width, "height": 844})
    assert _faults(page, desk, SETTINGS) == {}


SIDEWAYS = """() => [...document.querySelectorAll(".table-frame")]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.ariaLabel)"""


@pytest.mark.parametrize(
    ("who", "paths"),
    [
        ("lou", ["/parked/", "/calls/", "/channels/"]),
        ("ada", ["/settings/channels/", "/settings/mail/", "/settings/agents/", "/settings/alarm_sources/"]),
    ],
)
def test_on_a_narrow_page_a_row_is_a_few_lines_and_nothing_of_it_lies_beside_the_page(
    desk: Desk, sits_down: SitsDown, who: str, paths: list[str]
) -> None:
    page = sits_down(who, viewport={"width": 390, "height": 844})
    for path in paths:
        page.goto(desk.address + path)
        assert page.evaluate(SIDEWAYS) == [], path
    if who == "lou":
        page.goto(f"{desk.address}/parked/")
        expect(page.get_by_label("Pick all that are shown")).to_be_visible()


def _faults(page: Page, desk: Desk, paths: list[str]) -> dict[str, list[str]]:
    """What is wrong with each page that has something wrong with it."""
    faults: dict[str, list[str]] = {}
    for path in paths:
        answer = page.goto(desk.address + path.format(**desk.tickets))
        assert answer is not None and answer.status == 200, f"{path}: {answer and answer.status}"
        faults[path] = page.evaluate(FAULTS)
    return {path: found for path, found in faults.items() if found}


def test_a_page_that_is_not_there_says_so_and_leads_back(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    answer = page.goto(f"{desk.address}/tickets/999999/")
    assert answer is not None and answer.status == 404
    assert page.evaluate(FAULTS) == []
    page.get_by_role("link", name="Back to the start").click()
    expect(page).to_have_url(f"{desk.address}/")


def test_a_form_without_its_token_is_refused_in_words(desk: Desk, sits_down: SitsDown) -> None:
    page = sits_down("lena")
    answer = page.request.post(desk.page("late", "assignment/"))
    assert (answer.status, "This form is too old" in answer.text()) == (403, True)
