"""Every page, in the browser: one heading, a language, labels, unique ids, no wider than its window, no complaint."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

PAGES = [
    "/",
    "/queues/mine/",
    "/queues/unassigned/",
    "/queues/at-risk/",
    "/queues/escalated/",
    "/queues/pending/",
    "/queues/all/",
    "/search/?q=vpn",
    "/search/?q=zzzz",
    "/calls/new/",
    "/tickets/{book}/",
    "/tickets/{late}/",
    "/tickets/{vendor}/",
    "/tickets/{vendor}/cases/",
    "/tickets/{late}/escalation/",
    "/books/",
    "/books/1/",
    "/gaps/",
    "/clients/",
    "/clients/ACME/",
    "/parked/",
    "/parked/1/",
    "/notices/",
    "/report/",
]

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
    for (const one of document.querySelectorAll("a[href], button"))
        if (!(nameOf(one) + one.textContent + (one.querySelector("[aria-label]")?.ariaLabel ?? "")).trim()) faults.push(`no name: ${one.outerHTML.slice(0, 90)}`);
    for (const one of document.querySelectorAll("label[for]"))
        if (!document.getElementById(one.htmlFor)) faults.push(`label of nothing: ${one.htmlFor}`);
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id twice: ${id}`);
    const width = document.documentElement.scrollWidth;
    if (width > innerWidth) faults.push(`${width} wide in ${innerWidth}`);
    return faults;
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_has_manners(desk: Desk, sits_down: SitsDown, width: int) -> None:
    page = sits_down("lou", viewport={"width": width, "height": 844})
    faults = {}
    for path in PAGES:
        answer = page.goto(desk.address + path.format(**desk.tickets))
        assert answer is not None and answer.status == 200, f"{path}: {answer and answer.status}"
        faults[path] = page.evaluate(FAULTS)
    assert {path: found for path, found in faults.items() if found} == {}
