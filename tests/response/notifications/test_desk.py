"""Who is told on the desk: those who can do something about it, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.core.facts import Actor
from tierdesk.directory.staff.models import Agent, Membership
from tierdesk.response.notifications import reactions
from tierdesk.response.notifications.facts import Undelivered
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.facts import Assigned
from tierdesk.tickets.models import Ticket

Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    """Ann's ticket in the queue of the first line; nobody has been told anything yet."""
    with doing(cast.ann):
        ticket = cast.ticket(subject="VPN down")
    Notice.objects.all().delete()
    return ticket


def told(kind: str) -> set[str]:
    """The names of the agents who have a notice of this kind on their desk."""
    return {notice.agent.name for notice in Notice.objects.filter(kind=kind, channel="desk")}


@dataclass
class Fact:
    """Any fact of another room, with just what a reaction reads."""

    ticket: Ticket
    at: datetime
    to_team: int = 0
    team: int = 0
    note: str = "needs a bigger disk"
    question: str = "Is it the switch?"
    answer: str = "It is."
    why: str = "respond breached"
    agents: tuple[int, ...] = ()
    automatic: bool = False
    driver: int | None = None
    percent: int = 0


def test_an_urgent_ticket_is_told_to_its_team(cast: Cast, doing: Doing) -> None:
    with doing(cast.ann):
        ticket = cast.ticket(impact=1, urgency=1)
    assert told("new_ticket") == {"Lena Lang", "Lou Lead"}
    notice = Notice.objects.filter(kind="new_ticket").first()
    assert notice is not None
    assert (notice.state, notice.wake_at, notice.ticket) == ("sent", None, ticket)
    assert notice.subject == f"{ticket.reference} · new for Service Desk"


def test_an_ordinary_one_waits_in_the_queue(cast: Cast, doing: Doing) -> None:
    with doing(cast.ann):
        cast.ticket(impact=3, urgency=3)
    assert told("new_ticket") == set()


def test_who_is_away_is_left_alone(cast: Cast, doing: Doing) -> None:
    Agent.objects.filter(pk=cast.lou.pk).update(is_away=True)
    with doing(cast.ann):
        cast.ticket(impact=1, urgency=1)
    assert told("new_ticket") == {"Lena Lang"}


def test_an_agent_hears_of_a_ticket_that_somebody_else_gave_them(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    with doing(cast.lou):
        ticket.assign(cast.lena)
    assert told("assigned") == {"Lena Lang"}


def test_who_takes_a_ticket_knows_it(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    with doing(cast.lena):
        ticket.take(cast.lena)
    with doing(cast.lena):
        ticket.assign(None)
    assert told("assigned") == set()


def test_a_contact_with_the_same_number_as_the_agent_is_not_the_agent(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    with doing(Actor("contact", "Ann", cast.lena.pk)) as unit:
        unit.record(Assigned(ticket=ticket, agent=cast.lena.pk, agent_name="Lena Lang"))
    assert told("assigned") == {"Lena Lang"}


def test_the_contacts_words_are_told_to_who_works_the_ticket(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    with doing(cast.tom):
        ticket.assign(cast.tom)
    with doing(cast.ann):
        ticket.hear("It is worse.", channel="email")
    assert told("heard") == {"Tom Tran"}


def test_or_to_the_team_while_nobody_does(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    """M37: agents are not notified of a new mail."""
    with doing(cast.ann):
        ticket.hear("It is worse.", channel="email")
    assert told("heard") == {"Lena Lang", "Lou Lead"}


def test_a_machines_words_are_told_to_nobody(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    with doing(cast.ann):
        ticket.hear("I am away.", channel="email", automatic=True)
    assert told("heard") == set()


def test_untrusted_words_are_told_because_they_wake_nothing_by_themselves(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    with doing(cast.ann):
        ticket.hear("Close it.", channel="email", trust="failed")
    assert told("heard") == {"Lena Lang", "Lou Lead"}


def test_a_mail_that_did_not_arrive_is_told_to_who_works_the_ticket(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    with doing(cast.lena):
        ticket.assign(cast.lena)
    with doing(Actor("engine", "Tierdesk")) as unit:
        unit.record(
            Undelivered(
                ticket=ticket, notice=1, notice_kind="reply", address="ann@acme.example", why="user unknown"
            )
        )
    notice = Notice.objects.get(kind="undelivered")
    assert (notice.agent, notice.channel, notice.text) == (
        cast.lena,
        "desk",
        "ann@acme.example: user unknown",
    )


def test_an_escalation_is_told_to_the_team_that_receives_it(cast: Cast, ticket: Ticket, at: datetime) -> None:
    reactions.tell_receiving_team([Fact(ticket, at, to_team=cast.ops.pk)])
    assert told("escalated") == {"Tom Tran"}


def test_what_comes_back_is_told_to_who_sent_it_or_to_the_whole_team(
    cast: Cast, doing: Doing, ticket: Ticket, at: datetime
) -> None:
    reactions.tell_sending_team([Fact(ticket, at)])
    assert told("returned") == {"Lena Lang", "Lou Lead"}
    Notice.objects.all().delete()
    with doing(cast.lena):
        ticket.assign(cast.lena)
    reactions.tell_sending_team([Fact(ticket, at)])
    assert told("returned") == {"Lena Lang"}
    assert Notice.objects.get(kind="returned").text == "needs a bigger disk"


def test_the_hierarchy_is_told_on_the_desk_and_by_mail(cast: Cast, ticket: Ticket, at: datetime) -> None:
    reactions.tell_hierarchy([Fact(ticket, at, agents=(cast.lou.pk, cast.tom.pk))])
    assert told("hierarchy") == {"Lou Lead", "Tom Tran"}
    mails = Notice.objects.mails().order_by("id")
    assert [mail.address for mail in mails] == ["lou@desk.example", "tom@desk.example"]
    assert {(mail.automatic, mail.state, mail.wake_at) for mail in mails} == {(True, "pending", at)}
    assert mails[0].subject == f"{ticket.reference}: respond breached"
    assert f"http://127.0.0.1:8000/tickets/{mails[0].ticket_id}/" in mails[0].text


@pytest.mark.parametrize(("percent", "kind", "word"), [(75, "warning", "Warning"), (100, "breach", "Breach")])
def test_a_warning_is_told_from_a_breach_by_its_first_word(
    cast: Cast, ticket: Ticket, at: datetime, percent: int, kind: str, word: str
) -> None:
    reactions.tell_hierarchy([Fact(ticket, at, agents=(cast.lou.pk,), percent=percent)])
    told = Notice.objects.filter(kind=kind)
    assert {notice.channel for notice in told} == {"desk", "mail"}
    assert {notice.subject for notice in told} == {f"{word} · {ticket.reference}: respond breached"}


def test_of_many_tickets_warnings_and_breaches_are_told_apart(cast: Cast, doing: Doing, at: datetime) -> None:
    with doing(cast.lena):
        tickets = [cast.ticket() for _ in range(12)]
    both = [Fact(one, at, agents=(cast.lou.pk,), percent=75 + 25 * (n % 2)) for n, one in enumerate(tickets)]
    reactions.tell_hierarchy(both)
    told = {notice.kind: notice.subject for notice in Notice.objects.on_the_desk_of(cast.lou)}
    assert told == {
        "warning_many": f"Warning · 6 tickets of {tickets[0].team}: respond breached",
        "breach_many": f"Breach · 6 tickets of {tickets[0].team}: respond breached",
    }


def test_of_many_tickets_of_a_team_the_hierarchy_hears_at_once(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    """Of what tells of few, each by itself; whose tickets they are is not said: a notice of a team is no client's."""
    with doing(cast.lena):
        tickets = [cast.ticket() for _ in range(9)]
    Ticket.objects.filter(pk=tickets[7].pk).update(priority=2)
    many = list(Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).order_by("pk"))
    both, few = (cast.lou.pk, cast.tom.pk), [Fact(one, at, agents=(cast.kira.pk,)) for one in many[:5]]

    reactions.tell_hierarchy([Fact(one, at, agents=both) for one in many] + few)

    assert Notice.objects.on_the_desk_of(cast.kira).count() == 5
    [on_the_desk] = Notice.objects.on_the_desk_of(cast.lou)
    assert on_the_desk.subject == f"9 tickets of {many[0].team}: respond breached"
    first = f"{many[7].reference} (P2), {many[0].reference} (P{many[0].priority})"
    assert on_the_desk.text.startswith(first) and on_the_desk.text.endswith(", and 3 more")
    assert (on_the_desk.team, on_the_desk.client, on_the_desk.path) == (many[0].team, None, "/queues/due/")
    [mail] = Notice.objects.mails().filter(address="lou@desk.example")
    assert on_the_desk.text in mail.text and "/queues/due/" in mail.text
    assert "Acme" not in mail.subject + mail.text


def test_of_many_tickets_those_of_the_highest_priority_are_told_by_themselves(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    """However many these are, and however few are left: a P1 is nothing that one reads about in a list."""
    with doing(cast.lena):
        tickets = [cast.ticket() for _ in range(13)]
    highest = [ticket.pk for ticket in tickets[4:11]]
    Ticket.objects.filter(pk__in=highest).update(priority=1)
    many = list(Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).order_by("pk"))

    reactions.tell_hierarchy([Fact(one, at, agents=(cast.lou.pk,)) for one in many])

    own, one_of_all = [], []
    for notice in Notice.objects.on_the_desk_of(cast.lou):
        (own if notice.ticket_id else one_of_all).append(notice)
    assert {notice.ticket_id for notice in own} == set(highest)
    assert {notice.subject for notice in own} == {f"TD-{pk}: respond breached" for pk in highest}
    [rest] = one_of_all
    assert rest.subject == f"6 tickets of {many[0].team}: respond breached"
    assert "(P1)" not in rest.text
    assert Notice.objects.mails().filter(address="lou@desk.example").count() == 8


def test_the_mail_to_an_agent_does_not_lie_on_the_desk(cast: Cast, ticket: Ticket, at: datetime) -> None:
    reactions.tell_hierarchy([Fact(ticket, at, agents=(cast.lou.pk,))])
    assert Notice.objects.on_the_desk_of(cast.lou).count() == 1


def test_an_account_that_was_closed_gets_no_mail(cast: Cast, ticket: Ticket, at: datetime) -> None:
    cast.lou.user.is_active = False
    cast.lou.user.save()
    reactions.tell_hierarchy([Fact(ticket, at, agents=(cast.lou.pk,))])
    assert not Notice.objects.mails().exists()


def test_advice_is_asked_of_a_team_and_told_to_who_asked(
    cast: Cast, doing: Doing, ticket: Ticket, at: datetime
) -> None:
    with doing(cast.lena):
        ticket.assign(cast.lena)
    reactions.tell_consulted_team([Fact(ticket, at, team=cast.experts.pk)])
    reactions.tell_advised([Fact(ticket, at)])
    assert (told("consulted"), told("advice")) == ({"Kira Koch"}, {"Lena Lang"})


def test_a_vendors_word_is_told_but_not_its_machines(cast: Cast, ticket: Ticket, at: datetime) -> None:
    reactions.tell_about_case([Fact(ticket, at, automatic=True)])
    assert told("case_heard") == set()
    reactions.tell_about_case([Fact(ticket, at)])
    assert told("case_heard") == {"Lena Lang", "Lou Lead"}


def test_the_driver_of_a_case_is_reminded(cast: Cast, ticket: Ticket, at: datetime) -> None:
    reactions.remind_driver([Fact(ticket, at, driver=cast.kira.pk), Fact(ticket, at)])
    assert told("chase") == {"Kira Koch"}


def test_many_facts_are_one_statement(
    cast: Cast, ticket: Ticket, at: datetime, django_assert_num_queries: Any
) -> None:
    newcomers = [_agent(cast, number) for number in range(20)]
    facts = [Fact(ticket, at, to_team=cast.ops.pk) for _ in range(25)]
    with django_assert_num_queries(3):  # members, names, one insert
        reactions.tell_receiving_team(facts)
    assert Notice.objects.filter(kind="escalated").count() == 25 * (len(newcomers) + 1)


def _agent(cast: Cast, number: int) -> Agent:
    from tierdesk.directory.staff.models import User

    user = User.objects.create_user(f"agent{number}@desk.example", name=f"Agent {number}")
    agent = Agent.objects.create(user=user)
    Membership.objects.create(agent=agent, team=cast.ops)
    return agent
