"""A browser is proved to be somebody's, and shows a page as a notice that the desk pushed to it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
SUBSCRIBED = f"""
    PushManager.prototype.subscribe = async ({{ userVisibleOnly, applicationServerKey }}) => {{
        window.subscribedWith = [userVisibleOnly, applicationServerKey];
        return {{ toJSON: () => ({{ endpoint: "https://127.0.0.1/push/1", keys: {json.dumps(KEYS)} }}) }};
    }};
"""
"""No push service is to be had here: what it would answer."""


@pytest.fixture
def page(desk: Desk, sits_down: SitsDown) -> Page:
    page = sits_down("lena")
    page.context.grant_permissions(["notifications"], origin=desk.address)
    page.add_init_script(SUBSCRIBED)
    page.goto(f"{desk.address}/on-call/me/")
    return page


def test_the_keys_of_a_browser_reach_the_desk_and_what_it_refuses_is_said(page: Page, desk: Desk) -> None:
    page.get_by_role("button", name="Use this browser").click()
    expect(page.get_by_role("alert")).to_contain_text("The desk does not call this address")
    expect(page.get_by_role("button", name="Use this browser")).to_be_visible()
    assert desk.look("SELECT address FROM paging_way WHERE kind = 'push'") == [("",)], "it is not used"


def test_without_the_permission_it_says_what_to_do(page: Page) -> None:
    page.evaluate("Notification.requestPermission = async () => 'denied'")
    page.get_by_role("button", name="Use this browser").click()
    expect(page.get_by_role("status").filter(has_text="does not let us show notices")).to_be_visible()


REGISTERED = """async (url) => {
    const worker = await navigator.serviceWorker.register(url);
    while (worker.active?.state !== "activated") await new Promise((go) => setTimeout(go, 20));
    return worker.scope;
}"""
WATCHED = """() => {
    self.registration.showNotification = async (title, options) => { self.shown = [title, options]; };
    self.clients.openWindow = async (url) => { self.opened = url; };
}"""
"""This Chromium has no place to show a notice: what it would show, and open."""

CLICKED = """() => {
    const click = new Event("notificationclick");
    click.notification = { close() { self.closed = true; }, data: self.shown[1].data };
    click.waitUntil = () => {};
    self.dispatchEvent(click);
    return [self.closed, self.opened];
}"""


def test_what_is_pushed_is_shown_and_leads_to_its_page(page: Page, desk: Desk) -> None:
    line = page.context.new_cdp_session(page)
    known: list[dict[str, Any]] = []
    line.on("ServiceWorker.workerRegistrationUpdated", lambda said: known.extend(said["registrations"]))
    line.send("ServiceWorker.enable")
    scope = page.evaluate(REGISTERED, page.locator("push-here").get_attribute("data-worker"))
    [worker] = page.context.service_workers
    worker.evaluate(WATCHED)
    [registration] = {one["registrationId"] for one in known if one["scopeURL"] == scope}
    said = {
        "title": "TD-7 · P1 · Acme GmbH",
        "body": "Down",
        "tag": "page-1",
        "url": f"{desk.address}/pages/x/",
    }
    line.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": desk.address, "registrationId": registration, "data": json.dumps(said)},
    )
    deadline = time.monotonic() + 10
    while not (shown := worker.evaluate("self.shown")) and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert shown[0] == said["title"]
    assert {name: shown[1][name] for name in ("body", "tag", "data")} == {
        "body": said["body"],
        "tag": said["tag"],
        "data": {"url": said["url"]},
    }
    assert worker.evaluate(CLICKED) == [True, said["url"]]
