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
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.oncall.models import Layer, Override, Schedule, Turn

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
    assert "1 shift of a calendar file lies over the layers, until Wed 11 Mar 2026." in words(response)
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
        ({}, "Choose a file, or paste what is in it."),
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
