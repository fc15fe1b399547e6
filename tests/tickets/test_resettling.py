"""A ticket that was logged for the wrong client goes to the right one, and the old one sees nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps

from tests.cast import Cast
from tests.journeys.conftest import Monitoring, escalate
from tests.replayed import _clocks_are_a_replay  # noqa: F401
from tierdesk.channels.phone.calls import CallSheet, log_call
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Assignment, Client
from tierdesk.learning.prediction.models import Band, Outlook
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.notifications.models import Notice
from tierdesk.response.runbooks.models import Book, Run
from tierdesk.response.sla.dates import promise_date
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.vendors.models import Case, UnderpinningContract, Vendor
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Attachment, Entry, Message, Participant, Ticket
from tierdesk.tickets.relations import RelationKind
from tierdesk.tickets.resettling import STAY, following, move_to_client

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]

H, M = timedelta(hours=1), timedelta(minutes=1)
WHY = "Bob works for Borealis; Ann only forwarded it"


@pytest.fixture
def ticket(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.ann, at):
        return cast.ticket(service=cast.vpn)


def now(ticket: Ticket) -> Ticket:
    found: Ticket = Ticket.objects.select_related(
        "client", "team", "voice_team", "contract_version__contract"
    ).get(pk=ticket.pk)
    return found


def move(cast: Cast, doing: Doing, ticket: Ticket, at: datetime, **more: Any) -> Ticket:
    with doing(cast.lena, at):
        move_to_client(now(ticket), cast.borealis, **{"by": cast.lena, "why": WHY, **more})
    return now(ticket)


def standing(ticket: Ticket) -> dict[str, Clock]:
    clocks = Clock.objects.filter(ticket=ticket, party="SLA").exclude(state="cancelled")
    return {one.metric: one for one in clocks}


# Whose it is


def test_what_is_told_by_the_tickets_of_the_old_client_is_told_no_more(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    Outlook.objects.filter(ticket=ticket).update(band=Band.KEPT, alike=61, like=["Acme"], chance=0.9)
    move(cast, doing, ticket, at + H)
    outlook = Outlook.objects.get(ticket=ticket)
    assert (outlook.client, outlook.band, outlook.alike, outlook.like) == (
        cast.borealis,
        Band.UNKNOWN,
        0,
        [],
    )
    assert outlook.wake_at is not None


def test_it_is_the_other_client_s_with_its_contract_and_contact(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    moved = move(cast, doing, ticket, at + H, contact=cast.bob)
    assert (moved.client, moved.contact, moved.contract_version) == (
        cast.borealis,
        cast.bob,
        cast.borealis_contract,
    )
    assert (moved.service, moved.reference, moved.created_at) == (None, ticket.reference, at)
    entry = Entry.objects.of(ticket.pk).filter(kind="client_changed").get()
    assert (entry.by_name, entry.details["why"], entry.details["before"]) == ("Lena Lang", WHY, cast.acme.pk)
    assert "Acme" not in str(entry.details)


def test_the_old_contact_and_whoever_followed_it_see_it_no_more(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    Participant.objects.create(
        client=cast.acme, ticket=ticket, contact=cast.arne, email=cast.arne.email, accepted=True
    )
    with doing(cast.lena, at):
        ticket.relate(cast.ticket(), RelationKind.RELATED)
        cast.ticket().relate(ticket, RelationKind.RELATED)
    moved = move(cast, doing, ticket, at + H)
    for contact in (cast.ann, cast.arne):
        assert not Ticket.objects.visible_to(contact.user).filter(pk=ticket.pk).exists()
    assert not moved.participants.exists()
    assert not moved.relations.exists() and not moved.related_from.exists()


def test_no_row_of_it_is_left_under_the_old_client_but_its_old_clocks(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    """Everything that is told by hand here, and whatever else names a client and hangs on the ticket."""
    sheet = CallSheet(cast.acme.pk, cast.ann.pk, "VPN is down", "She cannot connect.")
    with clock.frozen(at):
        ticket = log_call(sheet, cast.lena)
    assert ticket is not None
    Attachment.objects.create(
        client=cast.acme,
        message=ticket.messages.get(),
        name="log.txt",
        content_type="text/plain",
        size=3,
        sha256="0" * 64,
        content=b"log",
    )
    with doing(cast.lena, at + M):
        ticket.reply("We look at it.")
        escalation = escalate(now(ticket), cast)
    with doing(cast.tom, at + 2 * M):
        escalation.ticket = now(ticket)
        escalation.accept(cast.tom)
    with doing(cast.tom, at + 3 * M):
        now(ticket).hand_over(cast.desk, why="it is the first line's")
    move(cast, doing, ticket, at + H)
    left = {
        model._meta.label: count
        for model, path in [*following(), (Clock, "ticket")]
        if (count := model._base_manager.filter(**{path: ticket.pk}, client=cast.acme).count())
    }
    assert set(left) == {"sla.Clock"}
    followed = {
        model._meta.label
        for model, path in following()
        if model._base_manager.filter(**{path: ticket.pk}, client=cast.borealis).exists()
    }
    assert {
        "tickets.Message",
        "tickets.Attachment",
        "tickets.Entry",
        "tiers.Escalation",
        "notifications.Notice",
        "channels.Inbound",
    } <= followed
    with seeing(only([cast.acme.pk])):
        assert (
            not Message.objects.exists() and not Attachment.objects.exists() and not Notice.objects.exists()
        )


def test_every_table_that_names_a_client_and_hangs_on_a_ticket_follows_or_stays_for_a_reason() -> None:
    followed = {model._meta.label for model, _ in following()}
    hanging = {
        model._meta.label
        for model in apps.get_models()
        if {"client", "ticket"} <= {field.name for field in model._meta.concrete_fields}
    }
    assert hanging - followed == {"sla.Clock"}
    assert STAY & followed == set()
    assert {"tickets.Attachment", "runbooks.Attempt", "paging.Page"} <= followed


# What was said


def test_what_was_said_stays_with_us_unless_it_is_theirs(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + M):
        now(ticket).reply("Hello Ann, we look at it.")
    moved = move(cast, doing, ticket, at + H, contact=cast.bob)
    assert list(moved.messages.all().public()) == []
    assert {one.by_name for one in moved.messages.all()} == {"Ann Albers", "Lena Lang"}


@pytest.mark.parametrize(("theirs", "mailed"), [(True, "VPN does not connect"), (False, "")])
def test_mails_say_nothing_that_the_old_client_called_it(
    cast: Cast, doing: Doing, at: datetime, ticket: Ticket, theirs: bool, mailed: str
) -> None:
    with doing(cast.lena):
        ticket.rename("The tunnel is down")
    assert move(cast, doing, ticket, at + H, contact=cast.bob, theirs=theirs).opened_as == mailed


def test_words_that_are_theirs_are_read_under_their_name(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    moved = move(cast, doing, ticket, at + H, contact=cast.bob, theirs=True)
    (said,) = moved.messages.all().public()
    assert (said.by_name, said.by_id) == ("Bob Byrne", cast.bob.pk)


def test_without_a_contact_they_are_the_client_s(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    (said,) = move(cast, doing, ticket, at + H, theirs=True).messages.all().public()
    assert (said.by_name, said.by_id) == ("Borealis Inc.", None)


def test_mails_that_were_still_to_leave_are_held_back(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + M):
        now(ticket).reply("Hello Ann, we look at it.")
    waiting = Notice.objects.filter(ticket=ticket, channel="mail", state="pending")
    assert waiting.exists()
    move(cast, doing, ticket, at + H)
    assert not waiting.exists()
    assert set(Notice.objects.filter(ticket=ticket, channel="mail").values_list("state", "contact")) == {
        ("withheld", None)
    }


# Its promises


def test_the_words_to_the_wrong_client_were_no_answer_to_this_one(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    """A P3 of Borealis's, in New York: neither the reply to Ann nor the hour that it waited for her counts."""
    with doing(cast.lena, at + M):
        now(ticket).ask("Which gateway, Ann?")
    with doing(cast.lena, at + H):
        now(ticket).resume("enough")
    clocks = standing(move(cast, doing, ticket, at + 2 * H))
    assert (clocks["respond"].state, clocks["acknowledge"].state) == ("running", "met")
    assert clocks["resolve"].pauses == []
    assert now(ticket).first_responded_at is None
    assert {one.calendar_id for one in clocks.values()} == {
        promise.calendar_id for promise in cast.borealis_contract.promises.filter(priority=3)
    }


def test_words_that_were_theirs_were_an_answer(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + M):
        now(ticket).ask("Which gateway, Bob?")
    with doing(cast.lena, at + H):
        now(ticket).resume("enough")
    clocks = standing(move(cast, doing, ticket, at + 2 * H, contact=cast.bob, theirs=True))
    assert clocks["respond"].state == "met"
    assert [pause[2] for pause in clocks["resolve"].pauses] == ["requester_info"]


def test_a_date_was_promised_to_the_other_client(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at):
        promise_date(now(ticket), at + 30 * H, by=cast.lena, why="told Ann")
    assert "date" not in standing(move(cast, doing, ticket, at + H))


def test_moved_and_back_it_is_as_if_it_had_never_left(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    before = {metric: (one.state, one.due_at) for metric, one in standing(ticket).items()}
    move(cast, doing, ticket, at + H)
    with doing(cast.lena, at + 2 * H):
        move_to_client(now(ticket), cast.acme, by=cast.lena, why="it was Ann's after all", contact=cast.ann)
    assert {metric: (one.state, one.due_at) for metric, one in standing(ticket).items()} == before
    assert {one.client_id for one in standing(ticket).values()} == {cast.acme.pk}


# Who may, and when not


def test_who_serves_one_of_them_alone_moves_nothing(cast: Cast, doing: Doing, at: datetime) -> None:
    with doing(cast.bob, at):
        ticket = cast.ticket(client=cast.borealis, contact=cast.bob)
    Assignment.objects.filter(client=cast.borealis).update(team=cast.northern)
    with pytest.raises(UnableTo, match="Only who serves both"), doing(cast.olga, at):
        move_to_client(now(ticket), cast.acme, by=cast.olga, why="a try")
    assert now(ticket).client == cast.borealis


def test_a_team_that_does_not_serve_the_other_client_keeps_it(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    Assignment.objects.create(client=cast.acme, team=cast.northern)
    Assignment.objects.filter(client=cast.borealis).delete()
    with doing(cast.lena, at):
        now(ticket).hand_over(cast.northern, why="they know it")
    with pytest.raises(UnableTo, match="Northern Team does not serve Borealis"):
        move(cast, doing, ticket, at + H)


def test_whoever_has_it_and_does_not_serve_the_other_client_has_it_no_more(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    other = Client.objects.create(key="NEW", name="New Ltd.", timezone="UTC")
    with doing(cast.lena, at):
        now(ticket).assign(cast.olga)
    with doing(cast.lena, at + H):
        move_to_client(now(ticket), other, by=cast.lena, why=WHY)
    moved = now(ticket)
    assert (moved.assignee, moved.client, moved.contract_version) == (None, other, None)
    assert standing(moved) == {}


def _waits(cast: Cast, ticket: Ticket) -> None:
    ticket.pend("vendor")


def _is_solved(cast: Cast, ticket: Ticket) -> None:
    ticket.resolve(code="fixed")


def _is_major(cast: Cast, ticket: Ticket) -> None:
    MajorIncident.declare(ticket, by=cast.lou, why="All are cut off.")


def _was_major(cast: Cast, ticket: Ticket) -> None:
    MajorIncident.declare(ticket, by=cast.lou, why="All are cut off.").stand_down(
        by=cast.lou, why="It was one only."
    )


def _has_a_duplicate(cast: Cast, ticket: Ticket) -> None:
    cast.ticket().merge_into(ticket, why="the same")


def _waits_to_be_accepted(cast: Cast, ticket: Ticket) -> None:
    escalate(ticket, cast)


def _owes_advice(cast: Cast, ticket: Ticket) -> None:
    Consultation.ask(ticket, cast.experts, by=cast.lena, question="Is it known?")


def _has_a_case(cast: Cast, ticket: Ticket) -> None:
    vendor = Vendor.objects.create(
        key="nordvik", name="Nordvik", email="s@nordvik.example", domains=["nordvik.example"]
    )
    contract = UnderpinningContract.objects.create(
        vendor=vendor,
        product="Gateway",
        entitlement="premium",
        calendar=cast.always,
        targets={"2": {"respond": 3600}},
    )
    ticket.hand_over(cast.experts, why="gateway")
    Case.submit(ticket, contract, by=cast.kira, severity=2, subject="Gateway", text="It hangs.")


@pytest.mark.parametrize(
    ("story", "refusal"),
    [
        (_waits, "waits for somebody of Acme"),
        (_is_solved, "is history"),
        (_is_major, "major incident"),
        (_was_major, "part of a major incident"),
        (_has_a_duplicate, "is merged into"),
        (_waits_to_be_accepted, "A hand-over waits"),
        (_owes_advice, "Advice is owed"),
        (_has_a_case, "A vendor was told"),
    ],
)
def test_what_cannot_follow_keeps_it_where_it_is(
    cast: Cast,
    ticket: Ticket,
    doing: Doing,
    at: datetime,
    story: Callable[[Cast, Ticket], None],
    refusal: str,
) -> None:
    with doing(cast.lou, at):
        story(cast, now(ticket))
    before = now(ticket).version
    with pytest.raises(UnableTo, match=refusal):
        move(cast, doing, ticket, at + H)
    assert (now(ticket).client, now(ticket).version) == (cast.acme, before)
    assert not Message.objects.filter(ticket=ticket, client=cast.borealis).exists()


def test_what_a_client_s_monitoring_told_stays_with_it(cast: Cast, doing: Doing, at: datetime) -> None:
    Monitoring(cast.acme).says(at, "firing")
    told = Ticket.objects.get(channel="alarms")
    with pytest.raises(UnableTo, match="Alarms of its client’s monitoring"):
        move(cast, doing, told, at + H)


def test_a_client_s_own_book_stays_with_it(cast: Cast, ticket: Ticket, doing: Doing, at: datetime) -> None:
    from tests.response.runbooks.test_runs import BOOKS

    revision = Book.publish((BOOKS / "vpn-not-connecting.md").read_text(), client=cast.acme)
    with doing(cast.lena, at):
        Run.start(now(ticket), revision, cast.lena)
    with pytest.raises(UnableTo, match="A book of its client’s own"):
        move(cast, doing, ticket, at + H)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"why": "  "}, "Say why"),
        ({"contact": "ann"}, "is nobody of Borealis"),
        ({"client": "acme"}, "already"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime, change: dict[str, str], refusal: str
) -> None:
    client = getattr(cast, change.pop("client", "borealis"))
    more: dict[str, Any] = {"why": WHY} | change
    if "contact" in more:
        more["contact"] = getattr(cast, more["contact"])
    with pytest.raises(UnableTo, match=refusal), doing(cast.lena, at + H):
        move_to_client(now(ticket), client, by=cast.lena, **more)


def test_the_slower_of_two_moves_nothing(cast: Cast, ticket: Ticket, doing: Doing, at: datetime) -> None:
    stale = now(ticket)
    with doing(cast.tom, at):
        now(ticket).take(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.lena, at + H):
        move_to_client(stale, cast.borealis, by=cast.lena, why=WHY)
    assert now(ticket).client == cast.acme
    assert not Message.objects.filter(ticket=ticket, client=cast.borealis).exists()
