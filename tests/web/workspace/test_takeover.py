"""A calendar file is looked at, its names are told who they are, and then all of it is taken over, or nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from tests.cast import Cast
from tests.servers.calendars import CalendarServer, calendar_server
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.oncall.models import Layer, Override, Schedule, Subscription, Turn

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday."""

SCHEDULE = "/on-call/schedules/night/"
PAGE = f"{SCHEDULE}calendar/"


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def night(cast: Cast) -> Schedule:
    """Lena, always; handed over at nine."""
    schedule = Schedule.objects.create(key="night", name="Night duty", team=cast.desk)
    layer = Layer.objects.create(
        schedule=schedule, order=0, name="Weeks", starts_date=date(2026, 3, 2), handover=time(9)
    )
    Turn.objects.create(layer=layer, agent=cast.lena, order=0)
    return schedule


@pytest.fixture
def lena(cast: Cast, client: Browser, night: Schedule) -> Browser:
    client.force_login(cast.lena.user)
    return client


def event(name: str, day: int, until: int) -> str:
    lines = (
        "BEGIN:VEVENT",
        f"UID:{name}-{day}",
        f"DTSTART;VALUE=DATE:202603{day:02}",
        f"DTEND;VALUE=DATE:202603{until:02}",
        f"SUMMARY:{name}",
        "END:VEVENT",
        "",
    )
    return "\r\n".join(lines)


def file(*events: str) -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{''.join(events)}END:VCALENDAR\r\n"


LOU_THEN_EVE = file(event("Lou", 9, 11), event("Eve & Co", 11, 12))


def words(response: Any) -> str:
    set_scope(EVERY_CLIENT)
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def filled(response: Any) -> dict[str, str]:
    """The form of the page, as a browser would send it again with its first button."""
    page = response.content.decode()
    form = {
        "text": html.unescape(
            page.partition('<textarea name="text"')[2].partition(">\n")[2].partition("</text")[0]
        )
    }
    for name, options in re.findall(
        r'<select id="[^"]*" name="(who-[^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        form[name] = chosen[1] if chosen else ""
    form |= dict(re.findall(r'name="(days_begin)"[^>]*value="([^"]*)"', page))
    form |= dict(re.findall(r'name="(seen)" value="([^"]*)"', page))
    return form


def looked(browser: Browser, text: str) -> Any:
    return browser.post(PAGE, {"file": SimpleUploadedFile("rota.ics", text.encode()), "days_begin": "09:00"})


def test_nothing_is_taken_over_before_every_name_is_somebody_s(lena: Browser, cast: Cast) -> None:
    response = looked(lena, LOU_THEN_EVE)
    assert response.status_code == 422
    assert "Say who this is, or leave it out: “Eve & Co”." in words(response)
    form = filled(response)
    assert sorted(value for name, value in form.items() if name.startswith("who-")) == ["", str(cast.lou.pk)]
    assert "seen" not in form
    assert not Override.objects.exists()


def test_what_was_looked_at_is_taken_over(lena: Browser, cast: Cast, night: Schedule) -> None:
    form = filled(looked(lena, LOU_THEN_EVE))
    (unknown,) = [name for name, value in form.items() if name.startswith("who-") and not value]
    response = lena.post(PAGE, form | {unknown: "nobody"})
    assert "1 shift comes, 0 stay as they are, 0 go." in words(response)
    assert "Lou Lead comes Mon 9 Mar, 10:00 Wed 11 Mar, 10:00 Lou" in words(response), "in Berlin"
    assert not Override.objects.exists(), "looked at, no more"
    response = lena.post(PAGE, filled(response), follow=True)
    assert "The calendar is taken over. New: 1, as before: 0, gone: 0." in response.content.decode()
    assert "1 shift of a calendar lies over the layers, until Wed 11 Mar 2026." in words(response)
    assert "Nobody stands in" in words(response), "a calendar's shifts are turns"
    made = Override.objects.get()
    assert (made.agent, made.from_at, made.made_by) == (
        cast.lou,
        datetime(2026, 3, 9, 9, tzinfo=UTC),
        cast.lena.user,
    )


def test_another_choice_is_shown_before_it_is_done(lena: Browser, cast: Cast) -> None:
    seen = filled(looked(lena, file(event("Lou", 9, 11))))
    (who,) = [name for name in seen if name.startswith("who-")]
    response = lena.post(PAGE, seen | {who: str(cast.lena.pk)})
    assert response.status_code == 200
    assert "Lena Lang comes" in words(response)
    assert not Override.objects.exists()
    assert lena.post(PAGE, seen).status_code == 302


def test_two_at_once_are_refused_in_the_reader_s_time(lena: Browser, cast: Cast) -> None:
    cast.lena.user.timezone = "America/New_York"
    cast.lena.user.save(update_fields=["timezone"])
    response = looked(lena, file(event("Lou", 9, 11), event("Lena", 10, 12)))
    assert response.status_code == 422
    assert "Lou Lead and Lena Lang from Tue 10 Mar, 05:00 to Wed 11 Mar, 05:00" in words(response)
    assert "seen" not in filled(response)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, "Choose a file, give an address, or paste what is in it."),
        ({"text": "Lena: Mondays"}, "It is no iCalendar file"),
        ({"file": SimpleUploadedFile("rota.ics", b"\xff\xfe\x00")}, "that is text in UTF-8"),
        ({"text": file(*(event(f"N{n}", 9, 10) for n in range(101)))}, "more than 100 names"),
    ],
    ids=["nothing", "words", "bytes", "a crowd"],
)
def test_nonsense_is_refused_in_words_and_what_was_pasted_stays(
    lena: Browser, given: dict[str, Any], refusal: str
) -> None:
    response = lena.post(PAGE, given)
    assert response.status_code == 422
    assert refusal in words(response)
    if "text" in given:
        assert html.escape(given["text"].splitlines()[0]) in response.content.decode()
    assert not Override.objects.exists()


def test_everybody_left_out_is_nothing_to_take_over(lena: Browser) -> None:
    form = filled(looked(lena, file(event("Lou", 9, 11))))
    left_out = {name: "nobody" for name in form if name.startswith("who-")}
    assert "Everybody is left out" in words(lena.post(PAGE, form | left_out))


def test_a_choice_that_was_not_offered_is_none(lena: Browser, cast: Cast) -> None:
    form = filled(looked(lena, file(event("Lou", 9, 11))))
    forged = {name: str(cast.kira.pk) for name in form if name.startswith("who-")}
    assert "Say who this is, or leave it out: “Lou”." in words(lena.post(PAGE, form | forged))


def test_all_of_it_goes_again(lena: Browser, cast: Cast) -> None:
    lena.post(PAGE, filled(looked(lena, file(event("Lou", 9, 11)))))
    set_scope(EVERY_CLIENT)
    assert Override.objects.standing().count() == 1
    page = lena.post(f"{PAGE}removal/", follow=True).content.decode()
    set_scope(EVERY_CLIENT)
    assert "1 shift of the calendar went" in page
    assert not Override.objects.standing().exists()
    assert lena.get(f"{PAGE}removal/").status_code == 405


def test_another_team_s_agent_takes_nothing_over(cast: Cast, client: Browser, night: Schedule) -> None:
    client.force_login(cast.kira.user)
    for ask in (
        lambda: client.get(PAGE),
        lambda: looked(client, LOU_THEN_EVE),
        lambda: client.post(f"{PAGE}removal/"),
    ):
        response = ask()
        assert response.status_code == 403
        assert "Only people of Service Desk, managers and administrators" in words(response)
    assert "calendar/" not in client.get(SCHEDULE).content.decode().partition("<main")[2]


class TestAnAddress:
    @pytest.fixture
    def server(self, settings: Any) -> Iterator[CalendarServer]:
        with calendar_server() as server:
            settings.PRIVATE_HOSTS = [server.host]
            server.text = file(event("Lou", 9, 11))
            yield server

    @pytest.fixture
    def given(self, lena: Browser, server: CalendarServer) -> Any:
        """What the schedule's page says once the calendar at the address was taken over."""
        looked = lena.post(PAGE, {"address": server.address, "days_begin": "09:00"})
        assert "1 shift comes" in words(looked)
        return lena.post(PAGE, filled(looked) | {"address": server.address}, follow=True)

    def test_its_calendar_is_looked_at_taken_over_and_asked_from_then_on(
        self, given: Any, server: CalendarServer, cast: Cast
    ) -> None:
        assert "1 shift of a calendar lies over the layers" in words(given)
        assert "Its address is asked every hour" in words(given)
        assert "private-4711" not in given.content.decode(), "whoever knows it reads the calendar"
        kept = Subscription.objects.get()
        assert (kept.who, kept.days_begin, kept.made_by) == ({"Lou": cast.lou.pk}, time(9), cast.lena.user)
        assert server.asked == 1, "what was looked at is what is taken over"

    def test_a_file_ends_that(self, given: Any, lena: Browser) -> None:
        lena.post(PAGE, filled(looked(lena, file(event("Lou", 9, 12)))))
        assert not Subscription.objects.exists()

    def test_so_does_taking_all_back(self, given: Any, lena: Browser) -> None:
        lena.post(f"{PAGE}removal/")
        set_scope(EVERY_CLIENT)
        assert not Subscription.objects.exists()
        assert not Override.objects.standing().exists()

    def test_trouble_is_said_where_the_schedule_stands(self, given: Any, lena: Browser) -> None:
        set_scope(EVERY_CLIENT)
        Subscription.objects.update(trouble="The server answers 503.", trouble_since=NOW)
        assert "The calendar at its address cannot be taken over: The server answers 503." in words(
            lena.get(SCHEDULE)
        )

    def test_one_that_cannot_be_asked_is_refused_and_comes_back_to_be_corrected(self, lena: Browser) -> None:
        response = lena.post(PAGE, {"address": "https://10.0.0.1/a.ics", "days_begin": "09:00"})
        assert response.status_code == 422
        assert "is inside the network" in words(response)
        assert 'value="https://10.0.0.1/a.ics"' in response.content.decode()
