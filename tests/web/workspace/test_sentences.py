"""Every fact reads as a sentence about whoever did it."""

from __future__ import annotations

from collections.abc import Iterator

from tierdesk.channels.alarms.facts import AlarmsWorsened
from tierdesk.response.sla.facts import ClockFact
from tierdesk.tickets.facts import Heard, Noted, Replied, TicketFact
from tierdesk.tickets.models import Entry
from tierdesk.web.workspace.sentences import SENTENCES, sentence_of
from tierdesk.web.workspace.stream import WITHOUT_A_NAME, events_of

SHOWN_AS_WORDS = {Heard, Noted, Replied}
"""These entries are the messages themselves."""


def _kinds(of: type[TicketFact]) -> Iterator[type[TicketFact]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_every_fact_has_a_sentence() -> None:
    assert AlarmsWorsened in set(_kinds(TicketFact)), "the facts of all rooms are loaded"
    told = {fact for fact in _kinds(TicketFact) if fact.__module__.startswith("tierdesk.")}
    missing = {fact.kind for fact in told - SHOWN_AS_WORDS - {ClockFact}} - set(SENTENCES)
    assert not missing


def test_what_a_ticket_waits_for_is_something_that_somebody_did() -> None:
    waits = Entry(kind="pended", by_kind="agent", by_name="Lena", details={"reason": "vendor"})
    assert sentence_of(waits)[0] == "set it to pending: waiting for a vendor"


def test_an_answer_of_a_vendor_is_told_of_whoever_wrote_it_down() -> None:
    by_mail = Entry(kind="case_heard", by_kind="vendor", details={"case": 1, "message": 1})
    by_phone = Entry(kind="case_heard", by_kind="agent", details={"case": 1, "message": 1})
    assert sentence_of(by_mail)[0] == "wrote to us about the case"
    assert sentence_of(by_phone)[0] == "wrote down what the vendor said"


def test_what_a_policy_means_is_named_as_people_write_it() -> None:
    def told(kind: str, **details: str) -> str:
        return sentence_of(Entry(kind=kind, by_kind="engine", details=details))[0]

    assert told("hand_due", policy="P1 v1", to="team:ops") == "handed on by “P1 v1”, to “ops”"
    assert told("hand_due", policy="P1 v1", to="L2") == "handed on by “P1 v1”, to L2"
    nobody = told("nobody_on_call", target="schedule:night", then="the team’s leads are paged")
    assert nobody == "nobody is on call for “night”: the team’s leads are paged"


def test_whoever_takes_a_role_makes_nobody_anything() -> None:
    role = {"incident": 1, "role": "manager", "agent": 7, "agent_name": "Lou Lead", "before": ""}
    own = Entry(kind="role_handed", by_kind="agent", by_id=7, details=role)
    given = Entry(kind="role_handed", by_kind="agent", by_id=8, details=role | {"before": "Tom Tran"})
    assert sentence_of(own)[0] == "became incident manager"
    assert sentence_of(given)[0] == "made Lou Lead incident manager, after Tom Tran"


def test_a_correction_says_which_promises_were_set_right() -> None:
    corrections = [
        {"metric": "resolve", "party": "SLA", "tier": None, "fields": {}},
        {"metric": "accept", "party": "OLA", "tier": 2, "fields": {}},
    ]
    words, _icon, tone = sentence_of(Entry(kind="clocks_corrected", details={"corrections": corrections}))
    assert words == (
        "set right by the timeline: resolve (promise to the client), accept of L2 (tier’s own time)"
    )
    assert tone == "warning"


def test_what_comes_to_pass_has_no_doer_and_what_somebody_does_has() -> None:
    """Mara hands it up, by which a hand-over is overtaken and the hierarchy hears: she did one of these three."""
    sent = {"from_tier": 2, "to_tier": 3, "reason": "skill"}
    told = {"roles": ["team_lead", "agent:lou@desk.example"], "why": "the promise “accept” (OLA) is broken"}
    entries = [
        Entry(pk=1, kind="escalation_overtaken", by_kind="agent", by_name="Mara"),
        Entry(pk=2, kind="escalation_sent", by_kind="agent", by_name="Mara", details=sent),
        Entry(pk=3, kind="hierarchy_told", by_kind="agent", by_name="Mara", details=told, cause_id=1),
    ]
    overtaken, handed, hierarchy = events_of(entries)
    assert (overtaken.actor, overtaken.words) == ("", "the hand-over was overtaken")
    assert handed.actor == "Mara"
    words = "told the hierarchy (team lead, lou@desk.example): the promise “accept” (OLA) is broken"
    assert (hierarchy.actor, hierarchy.words) == ("", words)
    assert hierarchy.cause == {"text": "the hand-over was overtaken", "href": "#entry-1"}


def test_what_has_no_doer_is_a_fact_that_there_is() -> None:
    assert set(SENTENCES) >= WITHOUT_A_NAME
