"""The telephone rings: who it may be is on the screen, one key opens the form, and no hand leaves the keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SitsDown
from tests.browser.desk import Desk

TYPING_MS = 25
SECONDS_FOR_A_CALL = 20
FOR_KIRA = {"user[]": "Kira Koch"}
APART = """() => {
  const both = [document.activeElement, document.querySelector("#calls-now")];
  const [one, other] = both.map((box) => box.getBoundingClientRect());
  return one.bottom <= other.top || one.top >= other.bottom;
}"""
"""Whether what has the focus and the cards of calls lie apart."""


BESIDE = """() => {
  const [page, calls] = [".page", "#calls-now"].map((one) => document.querySelector(one).getBoundingClientRect());
  return page.right <= calls.left && calls.right <= innerWidth && page.width > 700;
}"""
"""Whether the cards of calls have a column of their own, and what the agent works on is wide enough."""


@pytest.fixture
def call(desk: Desk, request: pytest.FixtureRequest) -> Iterator[str]:
    """A call's id of its own, which is over and written up when the test ends, whatever became of it."""
    name = request.node.name
    yield name
    desk.telephone("hangup", name, cause="normalClearing")
    desk.write("UPDATE phone_call SET wrapped_up_at = now() WHERE ext_id = %s", name)


def pop_up(page: Page) -> Locator:
    return page.get_by_role("region", name="Telephone")


def test_two_keys_and_the_words_make_a_ticket_of_a_ringing_call(
    desk: Desk, sits_down: SitsDown, call: str
) -> None:
    page = sits_down("kira")
    page.goto(desk.address)
    expect(pop_up(page)).to_be_hidden()
    desk.telephone("newCall", call, **{"from": "+49301234501"}, **FOR_KIRA)
    expect(pop_up(page)).to_contain_text("Ann Albers")
    expect(pop_up(page)).to_contain_text("Acme GmbH")
    expect(pop_up(page).get_by_role("timer")).to_have_text(re.compile(r"^0:0[1-9]$"))

    began, keys = time.monotonic(), 0
    page.keyboard.press("c")
    keys += 1
    expect(page.get_by_label("What is wrong?")).to_be_focused()
    expect(page.get_by_label("Who is calling?")).to_have_value("+49301234501")
    expect(page.get_by_role("radio", name=re.compile("Ann Albers"))).to_be_checked()
    page.keyboard.type("The scanner beeps", delay=TYPING_MS)
    page.keyboard.press("Control+Enter")
    keys += 1
    expect(page).to_have_url(re.compile(r"/tickets/\d+/$"))
    took = time.monotonic() - began
    print(f"a ringing call: {keys} keys beside the words, {took:.1f} s")
    expect(page.get_by_role("heading", level=1)).to_have_text("The scanner beeps")
    assert (keys, took < SECONDS_FOR_A_CALL) == (2, True)

    desk.telephone("answer", call, **{"from": "+49301234501", "answeringNumber": "kira@desk.example"})
    expect(pop_up(page)).to_contain_text("On the line")
    desk.telephone("hangup", call, cause="normalClearing", **{"from": "+49301234501"})
    expect(pop_up(page).get_by_label("What was said?")).to_be_visible()
    page.keyboard.press("w")
    page.keyboard.type("She holds the button for ten seconds.", delay=TYPING_MS)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text("She holds the button for ten seconds.")
    expect(pop_up(page)).to_be_hidden()


def test_a_call_that_rings_while_another_is_written_up_shows_and_takes_no_word_away(
    desk: Desk, sits_down: SitsDown, call: str
) -> None:
    page = sits_down("kira")
    desk.telephone("newCall", call, **{"from": "+49301234501"}, **FOR_KIRA)
    desk.telephone("answer", call, **{"from": "+49301234501", "answeringNumber": "kira@desk.example"})
    desk.telephone("hangup", call, cause="normalClearing", **{"from": "+49301234501"})
    page.goto(desk.address)
    page.keyboard.press("w")
    note = pop_up(page).get_by_label("What was said?")
    page.keyboard.type("The dock wants", delay=TYPING_MS)
    desk.telephone("newCall", f"{call}-2", **{"from": "+49309999999"}, **FOR_KIRA)
    try:
        expect(pop_up(page)).to_contain_text("Nobody we know")
        page.keyboard.type(" a new cable", delay=TYPING_MS)
        expect(note).to_have_value("The dock wants a new cable")
        page.wait_for_timeout(600)  # the draft rests before it is kept
        page.reload()
        expect(note).to_have_value("The dock wants a new cable")
    finally:
        desk.telephone("hangup", f"{call}-2", cause="cancel", **{"from": "+49309999999"})


def test_an_unknown_caller_is_found_while_typing_in_seven_keys_beside_the_words(
    desk: Desk, sits_down: SitsDown
) -> None:
    """No exchange told of the call: the agent types a piece of the name. Every key that is pressed is counted."""
    page = sits_down("kira")
    page.goto(desk.address)
    began, keys = time.monotonic(), 0

    def press(*names: str) -> None:
        nonlocal keys
        for name in names:
            page.keyboard.press(name)
            keys += 1

    press("c")
    expect(page.get_by_label("Who is calling?")).to_be_focused()
    press("a", "l", "b")
    expect(page.get_by_role("radio", name=re.compile("Ann Albers"))).to_be_checked()
    press("Tab", "Tab")
    expect(page.get_by_label("What is wrong?")).to_be_focused()
    page.keyboard.type("The monitor flickers", delay=TYPING_MS)
    press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The monitor flickers")
    took = time.monotonic() - began
    print(f"a call by name: {keys} keys beside the words, {took:.1f} s")
    assert keys == 7
    assert took < SECONDS_FOR_A_CALL


def test_on_a_wide_page_the_cards_stand_beside_what_the_agent_works_on(
    desk: Desk, sits_down: SitsDown, call: str
) -> None:
    page = sits_down("kira")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(desk.page("late"))
    desk.telephone("newCall", call, **{"from": "+49301234501"}, **FOR_KIRA)
    expect(pop_up(page)).to_contain_text("Ann Albers")
    assert page.evaluate(BESIDE)
    pop_up(page).get_by_text("Ann Albers").first.click()  # folded, it needs no column
    assert page.evaluate("document.querySelector('.page').getBoundingClientRect().right === innerWidth")


@pytest.mark.parametrize("width", [390, 1100])
def test_on_a_narrow_page_no_card_lies_over_what_has_the_focus(
    desk: Desk, sits_down: SitsDown, call: str, width: int
) -> None:
    page = sits_down("kira", viewport={"width": width, "height": 600})
    for n in range(4):
        desk.telephone("newCall", f"{call}{n}", **{"from": "+49309999999"}, **FOR_KIRA)
    page.goto(f"{desk.address}/calls/new/")
    expect(pop_up(page).get_by_text("Nobody we know")).to_have_count(4)
    page.get_by_label("Who is calling?").focus()
    try:
        while page.evaluate("document.activeElement.closest('form#call') !== null"):
            assert page.evaluate(APART), page.evaluate("document.activeElement.outerHTML")
            page.keyboard.press("Tab")
    finally:
        for n in range(4):
            desk.telephone("hangup", f"{call}{n}", cause="cancel", **{"from": "+49309999999"})


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("anonymous", "Hidden number"),
        ("+49301234500", "Somebody at Acme GmbH"),
        ("+49309999999", "Nobody we know"),
    ],
)
def test_who_it_is_not_known_is_said_as_well(
    desk: Desk, sits_down: SitsDown, call: str, number: str, words: str
) -> None:
    page = sits_down("kira")
    page.goto(desk.address)
    desk.telephone("newCall", call, **{"from": number}, **FOR_KIRA)
    expect(pop_up(page)).to_contain_text(words)


def test_a_missed_call_becomes_a_ticket_by_itself(desk: Desk, sits_down: SitsDown, call: str) -> None:
    page = sits_down("lou")
    for n in range(3):
        desk.telephone("newCall", f"{call}{n}", **{"from": "+49301234501"}, **FOR_KIRA)
        desk.telephone("hangup", f"{call}{n}", cause="noAnswer", **{"from": "+49301234501"})
    page.goto(f"{desk.address}/queues/all/")
    expect(page.get_by_role("link", name="Call back Ann Albers (+49301234501)")).to_have_count(
        1, timeout=15_000
    )
    page.goto(f"{desk.address}/calls/?show=missed")
    expect(page.get_by_role("row", name=re.compile("Ann Albers"))).to_have_count(3)


def test_whoever_called_from_a_switchboard_is_named_by_keyboard_and_written_to(
    desk: Desk, sits_down: SitsDown, call: str
) -> None:
    page = sits_down("lou")
    desk.telephone("newCall", call, **{"from": "+49301234500"}, **FOR_KIRA)
    desk.telephone("hangup", call, cause="noAnswer", **{"from": "+49301234500"})
    page.goto(f"{desk.address}/queues/all/")
    page.get_by_role("link", name="Call back +49301234500").click(timeout=15_000)
    expect(page.get_by_text("Nobody would get a reply: this ticket has no contact.")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Contact")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("ann@acme.example")
    page.keyboard.press("Enter")
    expect(page.locator(".composer-to")).to_contain_text("Ann Albers <ann@acme.example>")
    page.keyboard.press("r")
    page.keyboard.type("We called you back.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text("We called you back.")
