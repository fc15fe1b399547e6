"""An administrator in front of the settings pages, and a form as a browser would send it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.vendors.models import Vendor


class Sheet(HTMLParser):
    """The form of a settings page with what stands in it; `send` sends it as a browser without scripts would."""

    def __init__(self, browser: Browser, address: str, body: str) -> None:
        super().__init__()
        self.browser, self.address, self.body = browser, address, body
        self.fields: dict[str, list[str]] = {}
        self.is_inside, self.templates = False, 0
        self.area = self.choice = ""
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = given.get("method") == "post" and given.get("action", "").startswith(
                "/settings/"
            )
            if self.is_inside:
                self.address = given["action"]
        if tag == "template":
            self.templates += 1
        if not self.is_inside or self.templates:
            return
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.fields.setdefault(name, []).append(given.get("value", ""))
        elif tag == "textarea":
            self.area = name
            self.fields[name] = [""]
        elif tag == "select":
            self.choice = name
        elif tag == "option" and self.choice and (self.choice not in self.fields or "selected" in given):
            self.fields[self.choice] = [given["value"]]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            self.fields[self.area][0] = self.fields[self.area][0].removeprefix("\n")
            self.area = ""
        elif tag == "select":
            self.choice = ""
        elif tag == "template":
            self.templates -= 1
        elif tag == "form":
            self.is_inside = False

    def __getitem__(self, name: str) -> str:
        return self.fields[name][0]

    def fill(self, **values: str | list[str] | None) -> Sheet:
        """Type into fields; `__` stands for the dot in a name. None leaves a box unticked."""
        for name, value in values.items():
            place = name.replace("__", ".")
            if value is None:
                self.fields.pop(place, None)
            else:
                self.fields[place] = value if isinstance(value, list) else [value]
        return self

    def send(self, do: str = "review") -> Answer:
        return Answer(self.browser, self.address, self.browser.post(self.address, self.fields | {"do": do}))


class Answer:
    """What came back: its words without markup, and the form in it."""

    def __init__(self, browser: Browser, address: str, response: Any) -> None:
        self.status: int = response.status_code
        self.response: HttpResponse = response
        self.body = response.content.decode()
        self.sheet = Sheet(browser, address, self.body)

    @property
    def words(self) -> str:
        main = self.body.partition("<main")[2].partition("</main>")[0]
        without = re.sub(r"<datalist.*?</datalist>", "", main, flags=re.DOTALL)
        while (
            "<template>" in without
        ):  # from the inside out: a blank line may hold a list with a blank of its own
            without = re.sub(r"<template>((?!<template>).)*?</template>", "", without, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


type Opens = Callable[[str], Sheet]


class Visitor(Browser):
    """A browser whose visits leave the test seeing every client, as it did before."""

    def request(self, **request: Any) -> Any:
        try:
            return super().request(**request)
        finally:
            set_scope(EVERY_CLIENT)


@pytest.fixture
def admin(cast: Cast) -> Browser:
    """Lou administers; the desk is sound, that is, the vendor of the contracts’ fourth tier is there."""
    Vendor.objects.create(key="nordvik", name="Nordvik")
    cast.lou.user.is_admin = True
    cast.lou.user.save(update_fields=["is_admin"])
    visitor = Visitor()
    visitor.force_login(cast.lou.user)
    return visitor


@pytest.fixture
def opens(admin: Browser) -> Opens:
    """`opens("clients/ACME")`: the form of that page."""

    def open_page(path: str) -> Sheet:
        place, mark, query = path.partition("?")
        address = f"/settings/{place}/{mark}{query}"
        answer = admin.get(address)
        assert answer.status_code == 200
        return Sheet(admin, address, answer.content.decode())

    return open_page
