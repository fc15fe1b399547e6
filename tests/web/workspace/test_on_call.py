"""The on-call pages: who is called now and next, where nobody is, who stands in; for agents alone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.oncall.models import Feed, Layer, Override, Schedule, Turn
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.web.ui.wording import initials

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday."""

PAGE = "/on-call/schedules/night/"

type Rota = Callable[..., Schedule]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def rota(cast: Cast) -> Rota:
    def made(team: Team, *agents: Agent, key: str = "night", calendar: Any = None) -> Schedule:
        schedule = Schedule.objects.create(key=key, name=f"{key.capitalize()} duty", team=team)
        layer = Layer.objects.create(
            schedule=schedule,
            order=0,
            name="Weeks",
            starts_date=date(2026, 3, 2),
            handover=time(9),
            calendar=calendar,
        )
        for order, agent in enumerate(agents):
            Turn.objects.create(layer=layer, agent=agent, order=order)
        return schedule

    return made


@pytest.fixture
def night(cast: Cast, rota: Rota) -> Schedule:
    """Lena and Lou by weeks; Lena's goes on."""
    return rota(cast.desk, cast.lena, cast.lou)


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


def words(response: Any) -> str:
    set_scope(EVERY_CLIENT)
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_it_says_who_is_on_call_now_and_next_and_why(lena: Browser, night: Schedule, cast: Cast) -> None:
    page = words(lena.get("/on-call/"))
    assert f"Now {_shown(cast.lena)} until Mon 9 Mar, 10:00 · Weeks" in page
    assert f"Next {_shown(cast.lou)} from Mon 9 Mar, 10:00 · Weeks" in page
    assert "nobody is on call" not in page


def test_times_are_in_the_reader_s_zone(lena: Browser, night: Schedule, cast: Cast) -> None:
    cast.lena.user.timezone = "America/New_York"
    cast.lena.user.save(update_fields=["timezone"])
    page = words(lena.get(PAGE))
    assert "times here are in yours, America/New_York" in page
    assert "until Mon 9 Mar, 05:00" in page, "summer time has begun there the day before"


def test_gaps_are_stated_with_what_to_do(lena: Browser, cast: Cast, rota: Rota) -> None:
    rota(cast.desk, cast.lena, calendar=cast.office.calendar)
    page = words(lena.get("/on-call/"))
    assert "In the next 14 days nobody is on call for" in page
    assert "Tue 3 Mar, 17:00 – Wed 4 Mar, 09:00 (16 h)" in page
    assert "Let somebody stand in, or ask an administrator for a layer" in page


def test_a_schedule_of_nobody_says_so(lena: Browser, cast: Cast, rota: Rota) -> None:
    rota(cast.desk)
    page = words(lena.get(PAGE))
    assert "Now Nobody is on call Next nobody in sight" in page
    assert "There are not two shifts in the next six weeks." in page


def test_whoever_is_alone_is_on_call_until_further_notice(lena: Browser, cast: Cast, rota: Rota) -> None:
    rota(cast.desk, cast.lena)
    page = words(lena.get(PAGE))
    assert "until further notice · Weeks Next no change ahead" in page
    assert "and further" in page, "the table looks fourteen days ahead and no further"


def test_without_schedules_the_page_says_what_one_is(lena: Browser, cast: Cast) -> None:
    assert "Nobody is on call yet" in words(lena.get("/on-call/"))


def test_somebody_stands_in_and_everybody_reads_why(lena: Browser, night: Schedule, cast: Cast) -> None:
    told = {
        "who": cast.lou.pk,
        "from": "2026-03-04T09:00",
        "to": "2026-03-05T09:00",
        "reason": "Lena is <ill>",
    }
    response = lena.post(f"{PAGE}overrides/", told, follow=True)
    assert "Lena is <ill>" in words(response) and "Lena is <ill>" not in response.content.decode()
    assert "said by Lena" in words(response)
    made = Override.objects.get()
    assert (made.agent, made.made_by, made.made_at) == (cast.lou, cast.lena.user, NOW)
    assert night.on_call(datetime(2026, 3, 4, 12, tzinfo=UTC)) == cast.lou


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"from": "2026-03-02T09:00", "to": "2026-03-03T09:00"}, "That is over already"),
        ({"from": "2026-03-05T09:00", "to": "2026-03-04T09:00"}, "It ends before it begins"),
        ({"from": "2026-03-05T09:00", "to": "2029-03-04T09:00"}, "longer than a year"),
        ({"from": "soon"}, "Give both times"),
        ({"to": "9999-12-31T23:59"}, "longer than a year"),
        ({"who": ""}, "Choose who stands in."),
        ({"who": "99999"}, "Choose who stands in."),
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 201}, "200 characters at most"),
    ],
    ids=[
        "past",
        "backwards",
        "long",
        "no-time",
        "for-ever",
        "nobody",
        "stranger",
        "no-reason",
        "long-reason",
    ],
)
def test_nonsense_is_refused_in_words_and_what_was_typed_stays(
    lena: Browser, night: Schedule, cast: Cast, told: dict[str, str], refusal: str
) -> None:
    usual = {"who": cast.lou.pk, "from": "2026-03-04T09:00", "to": "2026-03-05T09:00", "reason": "swim"}
    response = lena.post(f"{PAGE}overrides/", usual | told)
    assert response.status_code == 422
    assert refusal in words(response)
    assert f'value="{(usual | told)["to"]}"' in response.content.decode()
    assert not Override.objects.exists()


def test_who_is_on_call_anyway_does_not_stand_in(lena: Browser, night: Schedule, cast: Cast) -> None:
    told = {"who": cast.lena.pk, "from": "2026-03-04T09:00", "to": "2026-03-05T09:00", "reason": "why not"}
    assert "is on call then as it is" in words(lena.post(f"{PAGE}overrides/", told))


def shifts_on(response: Any) -> list[str]:
    """The keys of the shifts that the swap form offers."""
    body = response.content.decode().partition('name="one"')[2].partition("</select>")[0]
    return re.findall(r'value="(\d+-\d+)"', body)


def test_two_people_swap_what_is_left_of_a_shift_for_a_whole_one(
    lena: Browser, night: Schedule, cast: Cast
) -> None:
    one, other, *_ = shifts_on(lena.get(PAGE))
    later = NOW + timedelta(minutes=5)
    with clock.frozen(later):
        told = {"one": one, "other": other, "reason": "wedding"}
        page = lena.post(f"{PAGE}swaps/", told, follow=True).content.decode()
    set_scope(EVERY_CLIENT)
    assert "Lena Lang and Lou Lead have swapped." in page
    first, second = Override.objects.order_by("pk")
    assert (first.agent, first.from_at, first.to_at) == (cast.lou, later, datetime(2026, 3, 9, 9, tzinfo=UTC))
    assert (second.agent, second.from_at) == (cast.lena, datetime(2026, 3, 9, 9, tzinfo=UTC))


def test_a_swap_of_nothing_is_refused_in_words(lena: Browser, night: Schedule) -> None:
    one, _, third, *_ = shifts_on(lena.get(PAGE))
    for told, refusal in [
        ({"one": one, "other": third}, "Both shifts are the same person’s"),
        ({"one": one}, "Choose two shifts to swap."),
        ({"one": one, "other": "1-2"}, "This shift has changed meanwhile"),
    ]:
        response = lena.post(f"{PAGE}swaps/", {"reason": "x"} | told)
        assert response.status_code == 422
        assert refusal in words(response)
    assert not Override.objects.exists()


def stands_in(schedule: Schedule, agent: Agent, begins: datetime, ends: datetime) -> Override:
    return Override.objects.create(schedule=schedule, agent=agent, from_at=begins, to_at=ends, reason="ill")


def test_what_is_to_come_is_taken_back(lena: Browser, night: Schedule, cast: Cast) -> None:
    coming = stands_in(night, cast.lou, NOW + timedelta(days=1), NOW + timedelta(days=2))
    page = words(lena.post(f"{PAGE}overrides/{coming.pk}/withdrawal/", follow=True))
    assert "Nobody stands in" in page
    coming.refresh_from_db()
    assert (coming.withdrawn_at, coming.withdrawn_by) == (NOW, cast.lena.user)


def test_of_what_has_begun_the_past_stays(lena: Browser, night: Schedule, cast: Cast) -> None:
    begun = stands_in(night, cast.lou, NOW - timedelta(days=1), NOW + timedelta(days=1))
    lena.post(f"{PAGE}overrides/{begun.pk}/withdrawal/")
    set_scope(EVERY_CLIENT)
    assert night.on_call(NOW - timedelta(minutes=1)) == cast.lou
    assert Schedule.objects.get().on_call(NOW) == cast.lena


def test_what_is_over_is_not_taken_back(lena: Browser, night: Schedule, cast: Cast) -> None:
    over = stands_in(night, cast.lou, NOW - timedelta(days=2), NOW - timedelta(days=1))
    response = lena.post(f"{PAGE}overrides/{over.pk}/withdrawal/")
    assert response.status_code == 422
    assert "That is over already" in words(response)


def test_another_team_s_agent_reads_and_does_not_change(cast: Cast, client: Browser, night: Schedule) -> None:
    client.force_login(cast.kira.user)
    assert "People of Service Desk, managers and administrators change" in words(client.get(PAGE))
    told = {"who": cast.lou.pk, "from": "2026-03-04T09:00", "to": "2026-03-05T09:00", "reason": "mine"}
    response = client.post(f"{PAGE}overrides/", told)
    assert response.status_code == 403
    assert "Only people of Service Desk, managers and administrators" in words(response)
    assert not Override.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["", "link/"]
    + [
        f"schedules/night/{rest}"
        for rest in (
            "",
            "overrides/",
            "swaps/",
            "overrides/1/withdrawal/",
            "calendar/",
            "calendar/removal/",
            "link/",
        )
    ],
)
def test_a_client_s_contact_is_shown_out(cast: Cast, client: Browser, night: Schedule, path: str) -> None:
    for ask in (client.get, client.post):
        assert ask(f"/on-call/{path}").headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    for ask in (client.get, client.post):
        response = ask(f"/on-call/{path}")
        assert response.status_code == 302
        assert response.headers["Location"] == "/portal/"
    assert not Schedule.objects.visible_to(cast.ann.user).exists()


def test_a_schedule_that_is_not_there_is_not_found(
    lena: Browser, night: Schedule, rota: Rota, cast: Cast
) -> None:
    other = rota(cast.ops, cast.tom, key="day")
    theirs = stands_in(other, cast.tom, NOW, NOW + timedelta(days=1))
    assert lena.get("/on-call/schedules/none/").status_code == 404
    assert lena.post(f"{PAGE}overrides/{theirs.pk}/withdrawal/").status_code == 404


# -- in one's own calendar


def link_on(response: Any) -> str:
    set_scope(EVERY_CLIENT)
    found = re.search(r"/on-call/feeds/[^\"]+\.ics", response.content.decode())
    return found[0] if found else ""


def read(link: str) -> list[str]:
    """The lines of a feed, as a program that is not signed in gets them."""
    response = Browser().get(link)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-store"
    set_scope(EVERY_CLIENT)
    return response.content.decode().replace("\r\n ", "").split("\r\n")


def test_one_s_own_shifts_are_subscribed_to_with_the_overrides(
    lena: Browser, night: Schedule, cast: Cast, rota: Rota
) -> None:
    rota(cast.ops, cast.tom, key="day")
    stands_in(night, cast.lou, datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 5, 9, tzinfo=UTC))
    lines = read(link_on(lena.post("/on-call/link/")))
    starts = [line for line in lines if line.startswith("DTSTART")]
    assert starts[:3] == ["DTSTART:20260302T090000Z", "DTSTART:20260305T090000Z", "DTSTART:20260316T090000Z"]
    assert {line for line in lines if line.startswith("SUMMARY")} == {"SUMMARY:On call: Night duty"}


def test_a_schedule_is_subscribed_to_with_its_gaps_and_reasons(
    lena: Browser, night: Schedule, cast: Cast
) -> None:
    Layer.objects.update(calendar=cast.office.calendar)
    stands_in(night, cast.lou, datetime(2026, 3, 7, 9, tzinfo=UTC), datetime(2026, 3, 7, 10, tzinfo=UTC))
    lines = read(link_on(lena.post(f"{PAGE}link/")))
    assert "SUMMARY:Lena Lang · Night duty" in lines
    assert "SUMMARY:Nobody is on call: Night duty" in lines
    at = lines.index("DTSTART:20260307T090000Z")
    assert lines[at + 1 : at + 4] == [
        "DTEND:20260307T100000Z",
        "SUMMARY:Lou Lead · Night duty",
        "DESCRIPTION:Stands in: ill",
    ]


def test_an_event_keeps_its_uid_while_time_passes(lena: Browser, night: Schedule, cast: Cast) -> None:
    """Else calendar programs take the last one away and put a new one in, every hour."""
    link = link_on(lena.post(f"{PAGE}link/"))
    told = [line for line in read(link) if line.startswith("UID")]
    with clock.frozen(NOW + timedelta(hours=1)):
        an_hour_later = [line for line in read(link) if line.startswith("UID")]
    assert told == an_hour_later
    assert len(set(told)) == len(told) > 5
    Turn.objects.exclude(agent=cast.lena).delete()
    alone = [line for line in read(link) if line.startswith("UID")]
    with clock.frozen(NOW + timedelta(hours=1)):
        assert [line for line in read(link) if line.startswith("UID")] == alone


def test_who_stands_in_next_is_told_first(lena: Browser, night: Schedule, cast: Cast) -> None:
    stands_in(night, cast.lou, NOW + timedelta(days=5), NOW + timedelta(days=6))
    sooner = stands_in(night, cast.lou, NOW + timedelta(days=1), NOW + timedelta(days=2))
    page = lena.get(PAGE).content.decode()
    withdrawals = re.findall(r"overrides/(\d+)/withdrawal/", page)
    assert withdrawals[0] == str(sooner.pk)


def test_a_renewed_link_closes_the_one_before_and_neither_is_shown_again(
    lena: Browser, night: Schedule
) -> None:
    before = link_on(lena.post("/on-call/link/"))
    after = link_on(lena.post("/on-call/link/"))
    assert Browser().get(before).status_code == 404
    assert read(after)
    page = lena.get("/on-call/")
    assert link_on(page) == ""
    assert "A new one closes it." in words(page)


def test_links_are_each_for_one_thing(lena: Browser, night: Schedule) -> None:
    own = link_on(lena.post("/on-call/link/"))
    whole = link_on(lena.post(f"{PAGE}link/"))
    assert read(own) and read(whole)


def test_an_address_that_nobody_made_is_not_found(client: Browser, night: Schedule) -> None:
    assert client.get("/on-call/feeds/guessed.ics").status_code == 404
    assert client.post("/on-call/feeds/guessed.ics").status_code == 405


def test_the_link_of_a_closed_account_is_void(lena: Browser, night: Schedule, cast: Cast) -> None:
    link = link_on(lena.post("/on-call/link/"))
    cast.lena.user.is_active = False
    cast.lena.user.save(update_fields=["is_active"])
    assert Browser().get(link).status_code == 404


def test_the_token_is_not_in_the_database(lena: Browser, night: Schedule) -> None:
    token = link_on(lena.post("/on-call/link/")).rpartition("/")[2].removesuffix(".ics")
    assert token not in str(list(Feed.objects.values()))


def _shown(agent: Agent) -> str:
    """A person as the page writes one: the initials of the avatar and the name."""
    return f"{initials(agent.name)} {agent.name}"


def test_at_an_hour_in_which_nobody_is_needed_nobody_is_missed(lena: Browser, rota: Rota, cast: Cast) -> None:
    """A schedule of office hours for office hours: its nights are no gaps, and no alarm."""
    schedule = rota(cast.desk, cast.lena, calendar=cast.office.calendar)
    evening = NOW.replace(hour=20)
    with clock.frozen(evening):
        assert "Nobody is on call" in words(lena.get(PAGE))
        Schedule.objects.filter(pk=schedule.pk).update(needed_in=cast.office.calendar)
        shown = words(lena.get(PAGE))
    assert "Nobody, and nobody is needed at this hour" in shown and "needed in Office hours, Berlin" in shown
    assert "In the next 14 days nobody" not in shown and "Nobody is on call" not in shown
