"""The hand-over pack: filled in as far as the desk knows it, so that nobody inherits a mystery."""

from __future__ import annotations

from dataclasses import replace

from tierdesk.response.tiers.pack import PARTS, Known, Pack, RunRecord, prefill

RUN = RunRecord(
    book="VPN does not connect, revision 2",
    steps=[("Restart the client", "it failed"), ("Look at the board", "red")],
    ended="the gateway is down",
    outcome="escalate",
    reason="access",
)
KNOWN = Known(
    subject="VPN does not connect",
    description="Good morning,\nthe client says: Error 809, connection refused.\nPlease help.",
    component="gw-berlin-1",
    contact="Ann Albers, Acme GmbH",
    opened_at="2026-06-08 10:00 (Europe/Berlin)",
    files=["screen.png"],
    runs=[RUN],
    last_promise="We call you back by noon.",
)


def test_the_pack_is_filled_from_the_ticket_and_from_the_runs_of_its_books() -> None:
    pack = prefill(KNOWN)
    assert pack.symptom == "VPN does not connect"
    assert pack.scope == "Ann Albers, Acme GmbH, gw-berlin-1"
    assert pack.first_occurred == "2026-06-08 10:00 (Europe/Berlin)"
    assert pack.error_text == "the client says: Error 809, connection refused."
    assert pack.steps_tried.splitlines() == [
        "VPN does not connect, revision 2 (sends it up: the gateway is down)",
        "– Restart the client: it failed",
        "– Look at the board: red",
    ]
    assert pack.evidence == "screen.png"
    assert pack.hypothesis == "the gateway is down"
    assert pack.client_promise == "We call you back by noon."


def test_what_only_a_person_can_say_stays_empty_and_is_asked_for() -> None:
    pack = prefill(KNOWN)
    assert (pack.exact_ask, pack.business_impact, pack.recent_changes) == ("", "", "")
    assert pack.missing(["symptom", "exact_ask"]) == ["exact_ask"]


def test_a_ticket_of_which_nothing_is_known_gives_no_invented_answers() -> None:
    assert prefill(Known(subject="", description="")).answers == []


def test_a_pack_survives_its_storage() -> None:
    pack = prefill(KNOWN)
    assert Pack.of(pack.as_dict()) == pack


def test_what_a_form_leaves_out_is_empty_and_what_it_adds_is_left_out() -> None:
    pack = Pack.of({"symptom": "  slow  ", "scope": None, "csrf": "x"})
    assert (pack.symptom, pack.scope) == ("slow", "")
    assert pack.answers == [("Symptom", "slow")]


def test_a_novel_is_capped() -> None:
    assert len(Pack.of({"error_text": "x" * 10_000}).error_text) == 4000


def test_every_part_has_its_question_and_its_place_in_the_pack() -> None:
    assert {part.name for part in PARTS} == set(Pack().as_dict())


def test_steps_of_a_book_that_is_still_followed_are_told_too() -> None:
    going = RunRecord(
        "VPN does not connect", [("Who is affected?", "One person")], ended="", outcome="running"
    )
    assert prefill(replace(KNOWN, runs=[going])).steps_tried.splitlines() == [
        "VPN does not connect (not followed to its end)",
        "– Who is affected? One person",
    ]


def test_what_is_wrong_with_the_book_is_not_what_is_wrong_with_the_thing() -> None:
    gap = replace(RUN, ended="nothing about home computers", reason="book_insufficient")
    assert prefill(replace(KNOWN, runs=[gap])).hypothesis == ""


def test_nobody_writes_twice_what_came_back() -> None:
    before = Pack(
        symptom="No VPN at home", exact_ask="Renew it", steps_tried="Restarted it.\n– Look at the board: red"
    )
    pack = prefill(replace(KNOWN, came_back=before))
    assert (pack.symptom, pack.exact_ask, pack.evidence) == ("No VPN at home", "Renew it", "screen.png")
    assert pack.steps_tried.splitlines() == [
        "Restarted it.",
        "– Look at the board: red",
        "VPN does not connect, revision 2 (sends it up: the gateway is down)",
        "– Restart the client: it failed",
    ]
