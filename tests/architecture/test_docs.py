"""The docs and the house say the same words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from django.apps import apps

from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.tickets.lifecycle import State

ROOT = Path(__file__).parents[2]


def words_of(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def test_every_noun_of_the_house_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    nouns = {
        m.__name__
        for m in apps.get_models()
        if m.__module__.startswith("tierdesk.") and not m._meta.auto_created
    }
    missing = {
        noun for noun in nouns if f"`{noun}`" not in glossary and f"**{words_of(noun)}**" not in glossary
    }
    assert missing == set()


def test_states_metrics_and_parties_are_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    assert [word for word in [*State.values, *Metric.values, *Party.values] if word not in glossary] == []


def test_every_relative_link_of_the_docs_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert broken == []


def test_every_package_says_why_it_is_here() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = [re.split(r"[\[<>=;]", one)[0].strip() for one in needed]
    _, table = (ROOT / "docs" / "architecture.md").read_text().split("## What we stand on")
    assert [name for name in names if name not in table] == []


def test_the_map_of_the_house_has_every_room() -> None:
    _, plan = (ROOT / "README.md").read_text().split("## A map of the house")
    house = ROOT / "tierdesk"
    floors = [floor for floor in house.iterdir() if (floor / "__init__.py").exists()]
    rooms = [
        room
        for floor in floors
        if floor.name in {"directory", "response", "learning", "channels", "web"}
        for room in floor.iterdir()
        if (room / "__init__.py").exists() and room.name != "migrations"
    ]
    assert [str(place) for place in (*floors, *rooms) if place.name not in plan] == []


def test_every_decision_has_its_page() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs" / "adr").glob("0*.md")}
    assert pages
    assert [page for page in sorted(pages) if page not in index] == []


def test_every_setting_is_documented() -> None:
    settings = (ROOT / "tierdesk" / "config" / "settings.py").read_text()
    told = (ROOT / "docs" / "operate" / "settings.md").read_text()
    names = set(re.findall(r'"((?:TIERDESK|DATABASE)_[A-Z_]+)"', settings))
    assert [name for name in sorted(names) if name not in told] == []


def test_every_numbered_case_names_tests_that_exist() -> None:
    for page, numbers in (("mail-cases", r"M\d\d|LM-\d\d|SEC-\d{3}"), ("promise-cases", r"[A-J]\d\d[abc]?")):
        told = re.findall(rf"^\| ({numbers}) \| ([^|]+) \| (.+) \|$", _page(page), re.MULTILINE)
        named = [
            (number, *pair)
            for number, _, tests in told
            for pair in re.findall(r"`([\w/]+\.py)`<br>`(\w+)`", tests)
        ]
        unnamed = {number for number, *_ in told} - {number for number, *_ in named}
        assert unnamed == {number for number, case, _ in told if "**Not " in case}, page
        missing = [
            (number, name)
            for number, path, name in named
            if f"def {name}(" not in (ROOT / "tests" / path).read_text()
        ]
        assert missing == []


def test_no_mail_case_is_left_out() -> None:
    """M01–14 threads, M20–27 loops and bounces, M30–41 silent loss."""
    told = [int(number) for number in re.findall(r"^\| M(\d\d) \|", _page("mail-cases"), re.MULTILINE)]
    assert told == [*range(1, 15), *range(20, 28), *range(30, 42)]


def test_no_promise_case_is_left_out() -> None:
    """A working time, B zones, C pauses, D resolution, E changes, F response, G updates, H tiers, I merges, J order."""
    told = re.findall(r"^\| ([A-J])(\d\d)[abc]? \|", _page("promise-cases"), re.MULTILINE)
    upto = {"A": 23, "B": 16, "C": 16, "D": 10, "E": 15, "F": 10, "G": 7, "H": 9, "I": 5, "J": 12}
    assert set(told) == {(part, f"{n:02}") for part, last in upto.items() for n in range(1, last + 1)}


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()
