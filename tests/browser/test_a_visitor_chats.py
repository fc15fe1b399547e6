"""A visitor and an agent talk, each on a page of their own, by keyboard; and the talk survives what pages do."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

FAINT = """() => {
    const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        pixel.clearRect(0, 0, 1, 1);
        pixel.fillStyle = colour;
        pixel.fillRect(0, 0, 1, 1);
        return [...pixel.getImageData(0, 0, 1, 1).data];
    };
    const mixed = (upper, lower, share) => lower.map((one, at) => upper[at] * share + one * (1 - share));
    const light = (colour) => {
        const [r, g, b] = colour.map((one) => (one /= 255) <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const contrast = (one, other) => Math.max(light(one) / light(other), light(other) / light(one));
    const above = (node) => node.parentElement ?? node.getRootNode().host;
    const ground = (node) => {
        if (!node) return rgba("Canvas").slice(0, 3);
        const style = getComputedStyle(node), own = rgba(style.backgroundColor);
        return mixed(own, ground(above(node)), own[3] / 255 * style.opacity);
    };
    const seen = (node) => {
        let share = 1;
        for (let one = node; one; one = above(one)) share *= getComputedStyle(one).opacity;
        return mixed(rgba(getComputedStyle(node).color), ground(node), share);
    };
    const { shadowRoot } = [...document.body.children].find((one) => one.shadowRoot);
    const words = (node) => [...node.childNodes].filter((one) => one.nodeType === 3);
    const said = (node) => words(node).map((one) => one.data).join("").trim();
    const visible = [...shadowRoot.querySelectorAll("*")].filter((one) => one.checkVisibility());
    const edge = (one) => contrast(rgba(getComputedStyle(one).borderTopColor).slice(0, 3), ground(above(one)));
    return [
        ...visible.filter((one) => said(one) && contrast(seen(one), ground(one)) < 4.5).map(said),
        ...visible.filter((one) => one.matches("input, textarea") && edge(one) < 3).map((one) => one.outerHTML),
    ];
}"""
"""What of the widget is too faint to be read (WCAG 1.4.3), and which fields have too faint an edge (1.4.11)."""

CLIENTS_PAGE = """<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">
<title>Acme</title><h1>Acme sells anvils</h1>
<script src="{desk}/static/portal/chat.js" data-key="acme-help" defer></script>"""


@pytest.fixture(scope="module")
def acmes_page(desk: Desk) -> Iterator[str]:
    """A page of the client's own, on another origin, with the one tag in it."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            allowed = f"script-src {desk.address}; connect-src {desk.address}"
            self.send_header("Content-Security-Policy", f"default-src 'none'; {allowed}")
            self.end_headers()
            self.wfile.write(CLIENTS_PAGE.format(desk=desk.address).encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{site.server_address[1]}"
        desk.look("UPDATE chat_widget SET origins = %s::jsonb RETURNING id", json.dumps([origin]))
        yield origin + "/"
        site.shutdown()


def take_chats(agent: Page, desk: Desk) -> None:
    agent.goto(f"{desk.address}/chats/")
    agent.get_by_label("I take chats").check()
    agent.get_by_label("at most").select_option("10")
    agent.get_by_role("button", name="Save").click()
    expect(agent.get_by_text("You take chats now.")).to_be_visible()


def open_chat(visitor: Page, name: str, email: str = "vera@else.example") -> None:
    visitor.get_by_role("button", name="Chat with us").press("Enter")
    visitor.get_by_label("Your name").fill(name)
    visitor.get_by_label("Your mail address").fill(email)


def say(page: Page, text: str) -> None:
    """By keyboard: Enter sends."""
    box = page.get_by_label("Your message")
    box.fill(text)
    box.press("Enter")


def test_visitor_and_agent_talk_hand_over_and_end(desk: Desk, sits_down: SitsDown, acmes_page: str) -> None:
    lena, lou, vera = sits_down("lena"), sits_down("lou"), sits_down(None)
    take_chats(lena, desk)
    lena.goto(f"{desk.address}/")
    vera.goto(acmes_page)
    open_chat(vera, "Vera")
    say(vera, "My VPN is dead")
    log = vera.get_by_role("log")
    expect(log).to_contain_text("My VPN is dead")
    expect(vera.get_by_role("status")).to_contain_text("Somebody will be with you in a moment")

    # the waiting chat stands over the open queue, without a reload
    expect(lena.get_by_role("list", name="Waiting for you")).to_contain_text("Vera")
    lena.get_by_role("button", name="Accept").click()
    expect(vera.get_by_role("status")).to_contain_text("You are talking with Lena Lang.")

    lena.get_by_label("Your message").press_sequentially("Let me look", delay=400)
    expect(vera.get_by_text("Lena Lang is typing …")).to_be_visible()
    vera.get_by_label("Your message").press_sequentially("It says 809", delay=400)
    expect(lena.get_by_text("Vera is typing …")).to_be_visible()
    say(lena, "Let me look. See https://help.acme.example/vpn")
    expect(log).to_contain_text("Let me look.")
    expect(log.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer nofollow")
    say(vera, "It says 809 <b>bold</b>")
    expect(lena.get_by_role("log")).to_contain_text("It says 809 <b>bold</b>")

    # a short answer leaves room for the name above it
    say(lena, "Ok")
    expect(log).to_contain_text("Ok")
    lines_of_name = log.locator(".who").evaluate_all(
        "all => new Set(all.map((one) => one.clientHeight)).size"
    )
    assert lines_of_name == 1

    # a reload keeps the talk
    vera.reload()
    expect(vera.get_by_role("log")).to_contain_text("Let me look.")
    expect(vera.get_by_role("log").locator(".line:not(.pending)")).to_have_count(5)  # with the greeting

    # hand-over: Lou has room, and goes on
    take_chats(lou, desk)
    lena.reload()
    lena.get_by_role("button", name="Hand over").click()
    lena.get_by_role("button", name="Lou Lead").click()
    expect(vera.get_by_role("status")).to_contain_text("You are talking with Lou Lead.")
    lou.goto(f"{desk.address}/chats/")
    lou.get_by_role("list", name="Your chats").get_by_role("link", name="Vera").click()
    say(lou, "It was the certificate.")
    expect(vera.get_by_role("log")).to_contain_text("It was the certificate.")
    lou.get_by_role("button", name="End the chat").click()
    expect(vera.get_by_role("status")).to_contain_text("This chat is over.")

    # the transcript is on the ticket
    expect(lou.get_by_role("region", name="Conversation and history")).to_contain_text(
        "It says 809 <b>bold</b>"
    )
    expect(lou.get_by_text("the chat is over after 5 lines")).to_be_visible()


def test_what_a_visitor_who_left_has_not_seen_comes_by_mail(
    desk: Desk, sits_down: SitsDown, acmes_page: str, tmp_path: Path
) -> None:
    lena, vera = sits_down("lena"), sits_down(None)
    take_chats(lena, desk)
    vera.goto(acmes_page)
    open_chat(vera, "Walter", "walter@else.example")
    say(vera, "My screen is black")
    lena.get_by_role("listitem").filter(has_text="Walter").get_by_role("button", name="Accept").click()
    expect(vera.get_by_role("status")).to_contain_text("You are talking with Lena Lang.")
    vera.goto("about:blank")
    expect(lena.get_by_text("left the page")).to_be_visible()
    expect(lena.get_by_text("goes to walter@else.example by mail")).to_be_visible()
    say(lena, "Is it plugged in?")
    expect(lena.get_by_role("log")).to_contain_text("Is it plugged in?")
    waiting = desk.look(
        "SELECT n.channel, n.state FROM notifications_notice n JOIN tickets_message m ON m.id = n.said_id"
        " WHERE m.text = 'Is it plugged in?'"
    )
    assert waiting == [("chat", "pending")]  # a minute later it leaves: tests/channels/chat says how


def test_nobody_there_leaves_a_message(desk: Desk, sits_down: SitsDown, acmes_page: str) -> None:
    desk.look("UPDATE chat_seat SET is_open = false RETURNING id")
    vera = sits_down(None)
    vera.goto(acmes_page)
    vera.get_by_role("button", name="Chat with us").click()
    expect(vera.get_by_role("status")).to_contain_text("Nobody is here to chat right now.")
    vera.get_by_label("Your message").fill("Call me tomorrow")
    vera.get_by_role("button", name="Leave a message").click()
    assert vera.get_by_label("Your mail address").evaluate("field => field.validity.valueMissing")
    vera.get_by_label("Your mail address").fill("vera@else.example")
    vera.get_by_role("button", name="Leave a message").click()
    expect(vera.get_by_role("status")).to_contain_text("We have your message and answer by mail.")
    assert desk.look("SELECT count(*) FROM tickets_ticket WHERE subject = 'Call me tomorrow'") == [(1,)]


def test_who_is_signed_in_leaves_a_message_and_is_asked_for_nothing_else(
    desk: Desk, sits_down: SitsDown, acmes_page: str
) -> None:
    desk.look("UPDATE chat_seat SET is_open = false RETURNING id")
    ann = sits_down("ann")
    ann.goto(f"{desk.address}/portal/")
    ann.get_by_role("button", name="Chat with us").click()
    say(ann, "Nobody answers the telephone")
    chat = ann.get_by_role("dialog")
    expect(chat.get_by_role("status")).to_contain_text("We have your message and answer by mail.")
    expect(chat.get_by_role("log")).to_contain_text("Nobody answers the telephone")


def test_a_line_said_without_a_connection_arrives_once_later(
    desk: Desk, sits_down: SitsDown, acmes_page: str, chromium: Browser
) -> None:
    take_chats(sits_down("lena"), desk)
    with chromium.new_context() as context:  # one whose complaints about the line are expected
        vera = context.new_page()
        vera.goto(acmes_page)
        open_chat(vera, "Vera")
        vera.route("**/lines/", lambda route: route.abort("connectionfailed"))
        say(vera, "Through the tunnel")
        expect(vera.get_by_role("status")).to_contain_text("No connection.")
        vera.unroute("**/lines/")
        vera.reload()
        expect(vera.get_by_role("log").locator(".line:not(.pending)")).to_have_count(2)
    assert desk.look("SELECT count(*) FROM tickets_message WHERE text = 'Through the tunnel'") == [(1,)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_the_widget_says_is_faint(
    desk: Desk, acmes_page: str, chromium: Browser, scheme: Literal["light", "dark"]
) -> None:
    with chromium.new_context(color_scheme=scheme) as context:
        vera = context.new_page()
        vera.goto(acmes_page)
        expect(vera.get_by_role("button", name="Chat with us")).to_be_visible()
        assert vera.evaluate(FAINT) == []
        open_chat(vera, "Vera")
        assert vera.evaluate(FAINT) == []
        vera.route("**/lines/", lambda route: route.abort("connectionfailed"))
        say(vera, "Does this wait?")
        expect(vera.get_by_role("status")).to_contain_text("No connection.")
        expect(vera.get_by_role("log")).to_contain_text("Does this wait?")
        assert vera.evaluate(FAINT) == []


def test_the_portal_knows_who_chats(desk: Desk, sits_down: SitsDown, acmes_page: str) -> None:
    lena, ann = sits_down("lena"), sits_down("ann")
    take_chats(lena, desk)
    ann.goto(f"{desk.address}/portal/")
    ann.get_by_role("button", name="Chat with us").click()
    expect(ann.get_by_label("Your name")).to_be_hidden()
    say(ann, "It is me")
    row = lena.get_by_role("listitem").filter(has_text="Ann Albers")
    expect(row).to_be_visible()
    expect(row).not_to_contain_text("unverified")


def test_without_scripts_the_page_of_the_chat_takes_a_message(
    desk: Desk, sits_down: SitsDown, acmes_page: str
) -> None:
    vera = sits_down(None, java_script_enabled=False)
    vera.goto(f"{desk.address}/portal/chat/acme-help/")
    vera.get_by_label("Your mail address").fill("vera@else.example")
    vera.get_by_label("Your message").fill("No scripts here")
    vera.get_by_role("button", name="Send").click()
    expect(vera.get_by_text("We have your message and answer by mail to vera@else.example.")).to_be_visible()


def test_the_script_is_small_and_makes_no_markup_out_of_text() -> None:
    script = (Path(__file__).parents[2] / "tierdesk/web/portal/static/portal/chat.js").read_text()
    assert len(script.encode()) < 15_000
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert forbidden not in script
