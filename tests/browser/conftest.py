"""A desk that runs, a Chromium, and people who sit down at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.desk import Desk, running_desk
from tests.browser.scene import PASSWORD
from tests.chromium import chromium_running

PATIENCE_MS = 15_000

type SitsDown = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Desk]:
    with running_desk(tmp_path_factory.mktemp("desk"), database_url) as desk:
        yield desk


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="package")
def keys(desk: Desk, chromium: Browser) -> Callable[[str], Any]:
    """What a browser keeps of somebody who has signed in; everybody signs in once."""
    kept: dict[str, Any] = {}

    def key_of(person: str) -> Any:
        if person not in kept:
            context = chromium.new_context()
            sign_in(context.new_page(), desk, person)
            kept[person] = context.storage_state()
            context.close()
        return kept[person]

    return key_of


def sign_in(page: Page, desk: Desk, person: str) -> None:
    page.goto(f"{desk.address}/sign-in/")
    page.get_by_label("E-mail address").fill(desk.emails[person])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def press(page: Page, key: str) -> None:
    """Press a key once the page's scripts listen: what is shown may be there a moment before them."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


@pytest.fixture
def sits_down(chromium: Browser, keys: Callable[[str], Any]) -> Iterator[SitsDown]:
    """`sits_down("lena")`: a page of hers, signed in. A script error or a breach of its policy fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def page_of(person: str | None, **options: Any) -> Page:
        size = {"width": 1440, "height": 900}
        state = keys(person) if person else None
        context = chromium.new_context(**{"viewport": size, "storage_state": state} | options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield page_of
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(said: ConsoleMessage) -> bool:
    """An error of the page's own; a form refused with words (409, 413, 422), or a page that is not there, is none."""
    return said.type == "error" and not any(f"status of {code}" in said.text for code in (404, 409, 413, 422))
