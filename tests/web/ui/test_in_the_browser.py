"""What only a browser can tell: pages obey their own content policy, and their elements do what they say."""

import re
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import chromium_running
from tierdesk.web.ui.views import PATTERNS

ADDRESSES = ["", *(f"patterns/{name}/" for name in PATTERNS)]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("design system")]


class _Server(ThreadingMixIn, WSGIServer):
    """A browser opens connections that it may never use; nobody is to wait behind them."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests are not the tests' output."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The design system, served with the project's own middleware and no database."""
    with (
        override_settings(ROOT_URLCONF="tests.web.ui.routes"),
        make_server("127.0.0.1", 0, WSGIHandler(), _Server, _Quiet) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/ui/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A wide page that fails its test on any script error or breach of the content policy."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ADDRESSES)
def test_no_page_is_wider_than_its_window(page: Page, address: str, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_keys_walk_the_queue_and_enter_opens_the_ticket(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    rows = page.locator(".queue-link")
    page.keyboard.press("j")
    assert focused(page) == rows.nth(0).text_content()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == rows.nth(1).text_content()
    page.keyboard.press("x")
    expect(page.locator(".pick").nth(1)).to_be_checked()
    expect(page.get_by_role("group", name="Selected tickets")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(address + "patterns/ticket/?TD-20479")


def test_rows_are_picked_all_at_once_and_counted(page: Page, address: str) -> None:
    page.goto(address)
    form = page.locator("form", has=page.get_by_role("region", name="Rows that are picked"))
    every, rows, bar = form.get_by_label("Pick all"), form.locator(".pick"), form.locator(".pick-bar")
    expect(bar).to_be_hidden()
    every.check()
    expect(rows.nth(1)).to_be_checked()
    expect(bar).to_contain_text("Try again (2)")
    rows.nth(0).uncheck()
    expect(every).to_have_js_property("indeterminate", True)
    expect(bar).to_contain_text("Try again (1)")


def test_what_was_picked_is_still_counted_for_whoever_comes_back(page: Page, address: str) -> None:
    page.goto(address)
    form = page.locator("form", has=page.get_by_role("region", name="Rows that are picked"))
    form.get_by_label("Pick: The gate is shut").check()
    page.goto(address + "patterns/queue/")
    page.go_back()
    expect(form.locator(".pick").first).to_be_checked()
    expect(form.locator(".pick-bar")).to_contain_text("Try again (1)")
    expect(form.get_by_label("Pick all")).to_have_js_property("indeterminate", True)


def test_the_queue_remembers_the_place_its_reader_left(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ticket/*")
    page.goto(address + "patterns/queue/")
    page.keyboard.press("j")
    assert focused(page) == page.locator(".queue-link").nth(2).text_content()


def test_keys_are_letters_again_inside_a_field(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    page.keyboard.press("/")
    page.keyboard.type("gjx")
    expect(page.get_by_role("searchbox")).to_have_value("gjx")


def test_single_keys_can_be_switched_off(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Next ticket")
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()


def test_a_sequence_of_keys_leads_to_another_page(page: Page, address: str) -> None:
    page.goto(address + "patterns/ticket/")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page).to_have_url(address + "patterns/queue/")


def test_the_chosen_theme_and_density_survive_the_page(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    page.get_by_role("button", name="Display").click()
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("button", name="Compact").click()
    page.goto(address + "patterns/portal/")
    assert page.evaluate("({...document.documentElement.dataset})") == {"theme": "dark", "density": "compact"}
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_a_note_looks_different_and_an_unsent_one_is_not_lost(page: Page, address: str) -> None:
    page.goto(address + "patterns/ticket/")
    expect(page.get_by_text("Only colleagues will see this")).to_be_hidden()
    page.keyboard.press("n")
    page.keyboard.type("Same as KE-118")
    expect(page.get_by_text("Only colleagues will see this")).to_be_visible()
    page.wait_for_function("() => localStorage.getItem('tierdesk:draft:pattern-ticket')")
    page.reload()
    expect(page.get_by_label("Your words")).to_have_value("Same as KE-118")


def test_signing_out_leaves_no_draft_behind(page: Page, address: str) -> None:
    page.goto(address + "patterns/ticket/")
    page.evaluate("localStorage.setItem('tierdesk:draft:x', '{}')")
    page.evaluate("""() => {
        const form = Object.assign(document.createElement('form'), { action: '#' });
        form.dataset.forgetDrafts = '';
        form.addEventListener('submit', (event) => event.preventDefault());
        document.body.append(form);
        form.requestSubmit();
    }""")
    assert page.evaluate("localStorage.getItem('tierdesk:draft:x')") is None


def test_a_form_that_asks_first_is_sent_only_after_yes(page: Page, address: str) -> None:
    sent: list[str] = []
    page.route("**/ui/", lambda route: _count(route, sent))
    page.goto(address)
    page.get_by_role("button", name="Ask first").click()
    page.get_by_role("button", name="Keep it as it is").click()
    assert sent == []
    page.get_by_role("button", name="Ask first").click()
    page.get_by_role("button", name="Cancel the ticket").click()
    expect(page.get_by_text("received", exact=True)).to_be_visible()
    assert sent == ["POST"]


def test_an_impatient_second_click_sends_nothing(page: Page, address: str) -> None:
    sent: list[str] = []
    page.goto(address)
    page.route("**/ui/", lambda route: _count(route, sent))
    page.evaluate("""() => {
        const form = document.querySelector('form[method=post]:has([name=ticket])');
        form.requestSubmit();
        form.requestSubmit();
    }""")
    expect(page.get_by_text("received", exact=True)).to_be_visible()
    assert sent == ["POST"]


def _count(route: Route, sent: list[str]) -> None:
    if route.request.method == "POST":
        sent.append("POST")
        route.fulfill(body="<p>received</p>", content_type="text/html")
    else:
        route.fallback()


def test_a_dialog_opens_on_its_title_and_closes_by_its_button(page: Page, address: str) -> None:
    page.goto(address + "patterns/ticket/")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Escalate to L3")
    expect(dialog).to_be_visible()
    assert focused(page) == "Escalate to L3"
    dialog.get_by_role("button", name="Keep it here").click()
    expect(dialog).to_be_hidden()


def test_a_chart_is_drawn_from_the_table_beside_it(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("() => globalThis.Chart?.getChart(document.querySelector('data-chart canvas'))")
    drawn = page.evaluate("Chart.getChart(document.querySelector('data-chart canvas')).data.datasets[0].data")
    assert drawn == [41, 38, 52, 35, 29]


def test_what_changed_elsewhere_is_refetched(page: Page, address: str) -> None:
    _a_part_that_lives(page, address)
    expect(page.locator("#part")).to_have_text("fetched by GET")


def test_news_waits_for_the_answer_to_a_form_but_not_for_ever(page: Page, address: str) -> None:
    _a_part_that_lives(page, address, form="<form id='sent' data-sent='true'></form>")
    page.wait_for_timeout(2000)
    expect(page.locator("#part")).to_have_text("")
    expect(page.locator("#part")).to_have_text("fetched by GET", timeout=15_000)


def _a_part_that_lives(page: Page, address: str, form: str = "") -> None:
    """A part of a page that is told of a change as soon as it listens, beside a form or none."""
    page.route(
        re.compile(r"/live(\?since=\d+)?$"),
        lambda route: route.fulfill(body="data: ticket:42\n\n", content_type="text/event-stream"),
    )
    page.route("**/fragment", lambda route: route.fulfill(body=f"fetched by {route.request.method}"))
    page.goto(address + "patterns/queue/")
    page.evaluate(
        """form => {
        document.querySelector('main').insertAdjacentHTML('beforeend', form);
        const part = document.createElement('div');
        part.id = 'part';
        part.dataset.live = 'ticket:42';
        part.setAttribute('hx-get', '/fragment');
        part.setAttribute('hx-trigger', 'live');
        const listener = document.createElement('live-updates');
        listener.dataset.src = '/live';
        document.querySelector('main').append(part);
        htmx.process(part);
        document.body.append(listener);
    }""",
        form,
    )


def test_an_answer_can_show_a_passing_word(page: Page, address: str) -> None:
    page.goto(address + "patterns/queue/")
    hostile = "<img src=x> was assigned"
    page.evaluate(
        "text => document.dispatchEvent(new CustomEvent('toast', {detail: {text, tone: 'success'}}))", hostile
    )
    expect(page.get_by_role("status").filter(has_text="was assigned")).to_contain_text(hostile)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)


def test_lines_to_paste_are_copied_by_keyboard_and_that_is_said(page: Page, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address)
    button = page.get_by_role("button", name="Copy: # alertmanager.yml")
    for _ in range(2):
        button.press("Enter")
        expect(page.locator("#announcements")).to_have_text("Copied")
        expect(button).to_have_text("Copied")
        expect(button).to_be_focused()
        expect(button).to_have_text("Copy", timeout=5_000)
        page.evaluate("document.querySelector('#announcements').textContent = ''")
    lines = "# alertmanager.yml\nroute: {receiver: desk}"
    assert page.evaluate("navigator.clipboard.readText()") == lines


def test_a_browser_that_copies_nothing_is_told_of(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")
    page.get_by_role("button", name="Copy: # alertmanager.yml").click()
    expect(page.locator("#announcements")).to_contain_text("select the lines")


def test_without_a_clipboard_there_is_no_button_that_promises_one(page: Page, address: str) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(address)
    expect(page.get_by_text("route: {receiver: desk}")).to_be_visible()
    expect(page.get_by_role("button", name="Copy:")).to_have_count(0)


def test_escape_puts_an_explanation_away(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Hover or focus").focus()
    expect(page.get_by_role("tooltip")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_times_are_told_in_the_readers_own_zone(chromium: Browser, address: str) -> None:
    context = chromium.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(address)
    shown = page.evaluate("""() => {
        const time = document.querySelector('relative-time[data-form=at] time');
        const clock = {timeZone: 'Asia/Tokyo', hour: 'numeric', minute: '2-digit'};
        return [time.textContent, new Intl.DateTimeFormat('en', clock).format(new Date(time.dateTime))];
    }""")
    assert shown[1] in shown[0]
    context.close()


def test_a_phone_has_its_navigation_in_a_drawer(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + "patterns/queue/")
    sidebar = page.get_by_role("complementary", name="Sidebar")
    expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(sidebar).to_be_visible()
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
