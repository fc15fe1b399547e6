"""The gallery and the page patterns hold together."""

import re
from collections import Counter

import pytest
from django.http import Http404, HttpRequest
from pytest_django import Settings

from tierdesk.web.ui import views

PAGES = ["gallery", *views.PATTERNS]


@pytest.fixture(autouse=True)
def _own_addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.web.ui.routes"


def page(visit: HttpRequest, name: str) -> str:
    answer = views.gallery(visit) if name == "gallery" else views.pattern(visit, name)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_no_two_elements_share_an_id(visit: HttpRequest, name: str) -> None:
    repeated = [
        id for id, times in Counter(re.findall(r'\sid="([^"]+)"', page(visit, name))).items() if times > 1
    ]
    assert set(repeated) <= {"time-bar-hatch"}


@pytest.mark.parametrize("name", PAGES)
def test_whatever_points_at_an_id_finds_it(visit: HttpRequest, name: str) -> None:
    html = page(visit, name)
    ids = set(re.findall(r'\sid="([^"]+)"', html))
    pointers = re.findall(
        r'\s(?:for|aria-labelledby|aria-describedby|popovertarget|commandfor|form|data-table)="([^"]+)"', html
    )
    assert {id for pointer in pointers for id in pointer.split()} - ids == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_icon_is_in_the_sprite(visit: HttpRequest, name: str) -> None:
    assert set(re.findall(r'icons\.svg#([\w-]+)"', page(visit, name))) <= set(views.icon_names())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_heading_of_its_own_and_a_way_past_the_navigation(
    visit: HttpRequest, name: str
) -> None:
    html = page(visit, name)
    assert html.count("<h1>") == 1
    assert 'class="skip-link" href="#main"' in html and 'id="main"' in html


@pytest.mark.parametrize("name", PAGES)
def test_every_form_that_changes_something_carries_the_token(visit: HttpRequest, name: str) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', page(visit, name), re.DOTALL):
        assert "csrfmiddlewaretoken" in form


def test_an_aside_that_nobody_fills_is_left_away(visit: HttpRequest) -> None:
    assert '<aside class="page-aside"' not in page(visit, "queue")
    assert '<aside class="page-aside"' in page(visit, "ticket")


def test_an_unknown_pattern_is_not_found(visit: HttpRequest) -> None:
    with pytest.raises(Http404, match="queue, ticket, portal"):
        views.pattern(visit, "helm")


def test_the_gallery_shows_every_icon(visit: HttpRequest) -> None:
    drawn = set(re.findall(r'icons\.svg#([\w-]+)"', page(visit, "gallery")))
    assert drawn == set(views.icon_names())
