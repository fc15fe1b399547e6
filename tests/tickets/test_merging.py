"""Two tickets about one matter become one, and may become two again (M41, promises.md I01).

Ann reported the VPN, Arne did so as well: his ticket is merged into hers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.channels.alarms.models import Alarm, Source
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.verify import verify
from tierdesk.response.vendors.models import Case, UnderpinningContract, Vendor
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Participant, Ticket

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(autouse=True)
def _clocks_follow_the_timeline(cast: Cast) -> Iterator[None]:
    """Whatever moved where, the timelines tell the clocks that the desk has."""
    yield
    assert [str(one) for one in verify()] == []


@pytest.fixture
def main(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.ann, at):
        return cast.ticket()


@pytest.fixture
def double(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.arne, at):
        return cast.ticket(contact=cast.arne, subject="No VPN")


@pytest.fixture
def merged(cast: Cast, main: Ticket, double: Ticket, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.lena, at + HOUR):
        double.merge_into(main, why="the same gateway")
    return double


def test_a_duplicate_ends_with_a_code_and_its_clocks_end(merged: Ticket, main: Ticket) -> None:
    merged.refresh_from_db()
    assert (merged.state, merged.resolution_code, merged.duplicate_of) == ("cancelled", "merged", main)
    assert set(Clock.objects.filter(ticket=merged).values_list("state", flat=True)) == {"cancelled"}
    main.refresh_from_db()
    assert (main.state, main.created_at) == ("new", main.created_at)
    assert "running" in Clock.objects.filter(ticket=main).values_list("state", flat=True)


def test_both_timelines_tell_it_with_the_reason(merged: Ticket, main: Ticket) -> None:
    cancelled, absorbed = merged.entries.get(kind="cancelled"), main.entries.get(kind="absorbed")
    assert cancelled.details == {"why": "the same gateway", "duplicate_of": main.pk, "merged": True}
    assert absorbed.details == {
        "other": merged.pk,
        "why": "the same gateway",
        "followers": ["arne@acme.example"],
    }


def test_its_contact_follows_and_is_told_once_in_polite_words(
    cast: Cast, merged: Ticket, main: Ticket
) -> None:
    assert Ticket.objects.visible_to(cast.arne.user).filter(pk=main.pk).exists()
    told = Notice.objects.get(kind="merged")
    assert (told.address, told.ticket) == ("arne@acme.example", merged)
    assert told.text.startswith("Hello Arne Voss,")
    assert f"{main.reference}, which we are working on already" in " ".join(told.text.split())
    assert "the same gateway" not in told.text
    assert main.subject not in told.text


def test_what_we_write_afterwards_reaches_both(
    cast: Cast, merged: Ticket, main: Ticket, doing: Doing, at: datetime
) -> None:
    main.refresh_from_db()
    with doing(cast.lena, at + 2 * HOUR):
        main.reply("The gateway is back.")
    sent = Notice.objects.filter(ticket=main, kind="reply").values_list("address", flat=True)
    assert sorted(sent) == ["ann@acme.example", "arne@acme.example"]


def test_whoever_wrote_both_is_no_participant_twice(
    cast: Cast, main: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.ann, at):
        again = cast.ticket(subject="VPN, again")
    with doing(cast.lena, at + HOUR):
        again.merge_into(main, why="she wrote twice")
    assert not Participant.objects.exists()
    assert Notice.objects.filter(kind="merged").count() == 1


def test_a_matter_goes_on_at_the_end_of_the_chain(
    cast: Cast, merged: Ticket, main: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at):
        wider = cast.ticket(subject="The whole network", contact=None)
    main.refresh_from_db()
    with doing(cast.lena, at + 2 * HOUR):
        main.merge_into(wider, why="wider than we thought")
    assert Ticket.objects.get(pk=merged.pk).goes_on_as() == wider
    followers = wider.participants.filter(accepted=True).values_list("email", flat=True)
    assert sorted(followers) == ["ann@acme.example", "arne@acme.example"]


@pytest.mark.parametrize(
    ("prepare", "refused"),
    [
        (lambda main, double: main.cancel("nothing"), "is cancelled; only tickets that are going on"),
        (lambda main, double: double.resolve(code="fixed"), "is resolved; only tickets that are going on"),
    ],
    ids=["into one that is over", "one that is over"],
)
def test_only_what_goes_on_is_merged(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing, prepare: Callable[..., None], refused: str
) -> None:
    with doing(cast.lena):
        prepare(main, double)
    with pytest.raises(UnableTo, match=refused), doing(cast.lena):
        double.merge_into(main, why="the same")


def test_never_across_clients(cast: Cast, main: Ticket, doing: Doing) -> None:
    with doing(cast.bob):
        foreign = cast.ticket(client=cast.borealis, contact=cast.bob)
    with pytest.raises(UnableTo, match="different clients"), doing(cast.lena):
        foreign.merge_into(main, why="the same")
    assert not Participant.objects.exists()


def test_never_into_itself_and_never_without_a_reason(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing
) -> None:
    with pytest.raises(UnableTo, match="into itself"), doing(cast.lena):
        main.merge_into(main, why="the same")
    with pytest.raises(UnableTo, match="Say why"), doing(cast.lena):
        double.merge_into(main, why=" ")


def test_a_chat_takes_others_in_and_is_not_merged_away(cast: Cast, main: Ticket, doing: Doing) -> None:
    with doing(cast.ann):
        chat = cast.ticket(channel="chat")
    with pytest.raises(UnableTo, match="answered in their chat"), doing(cast.lena):
        chat.merge_into(main, why="the same")


def test_two_who_merge_crosswise_the_slower_is_told(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing
) -> None:
    seen_main, seen_double = Ticket.objects.get(pk=main.pk), Ticket.objects.get(pk=double.pk)
    with doing(cast.lena):
        double.merge_into(main, why="the same")
    with pytest.raises(StaleTicket), doing(cast.lou):
        seen_main.merge_into(seen_double, why="the same")
    main.refresh_from_db()
    assert main.state == "new"


def test_taking_it_out_again_is_told_and_its_clocks_count_on(
    cast: Cast, merged: Ticket, main: Ticket, doing: Doing, at: datetime
) -> None:
    merged = Ticket.objects.select_related("duplicate_of", "client", "contact").get(pk=merged.pk)
    with doing(cast.lou, at + 3 * HOUR):
        merged.part(why="another gateway")
    merged.refresh_from_db()
    assert (merged.state, merged.resolution_code, merged.duplicate_of, merged.closed_at) == (
        "new",
        "",
        None,
        None,
    )
    clock = Clock.objects.get(ticket=merged, metric="resolve", party="SLA")
    assert (clock.state, clock.started_at, clock.pauses) == ("running", at, [])
    assert merged.entries.get(kind="parted").details["why"] == "another gateway"
    assert main.entries.get(kind="released").details["other"] == merged.pk
    assert not Ticket.objects.visible_to(cast.arne.user).filter(pk=main.pk).exists()
    assert Notice.objects.get(kind="parted").address == "arne@acme.example"


def test_a_clock_that_stood_in_a_wait_runs_again_once_it_is_taken_out(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + HOUR):
        double.ask("Which gateway?")
    with doing(cast.lena, at + 2 * HOUR):
        double.merge_into(main, why="the same")
    with doing(cast.lena, at + 3 * HOUR):
        double.part(why="another gateway")
    clock = Clock.objects.get(ticket=double, metric="resolve", party="SLA")
    assert clock.state == "running"
    [(since, until, _)] = clock.pauses
    assert (since, until) == ((at + HOUR).isoformat(), (at + 2 * HOUR).isoformat())


def test_only_what_is_merged_is_taken_out(cast: Cast, main: Ticket, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="not merged"), doing(cast.lena):
        main.part(why="no")


def test_its_alarms_go_to_the_ticket_that_goes_on(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing, at: datetime
) -> None:
    source = Source.objects.create(client=cast.acme, key="prom", name="Prometheus", shape="plain")
    alarm = Alarm.objects.create(
        client=cast.acme,
        source=source,
        key="k",
        state="open",
        ticket=double,
        severity=2,
        last_at=at,
        changed_seq=1,
    )
    with doing(cast.lena, at):
        double.merge_into(main, why="the same")
    alarm.refresh_from_db()
    assert alarm.ticket == main


def test_with_an_open_vendor_case_it_is_not_merged_away(
    cast: Cast, main: Ticket, double: Ticket, doing: Doing, at: datetime
) -> None:
    vendor = Vendor.objects.create(key="netix", name="Netix")
    contract = UnderpinningContract.objects.create(
        vendor=vendor, product="Gateway", entitlement="Gold", calendar=cast.always
    )
    with doing(cast.kira, at):
        Case.submit(double, contract, by=cast.kira, severity=2, subject="Gateway", text="It is down.")
    with pytest.raises(UnableTo, match="close the case first"), doing(cast.lena, at):
        double.merge_into(main, why="the same")
    double.refresh_from_db()
    assert double.state == "new"
