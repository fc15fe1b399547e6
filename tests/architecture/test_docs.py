"""The docs and the house say the same words."""

from __future__ import annotations

import re
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


def test_every_numbered_mail_case_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (M\d\d|LM-\d\d|SEC-\d{3}) \| [^|]+ \| (.+) \|$", _mail_cases(), re.MULTILINE)
    named = [
        (number, *pair) for number, tests in rows for pair in re.findall(r"`([\w/]+\.py)`<br>`(\w+)`", tests)
    ]
    assert {number for number, *_ in named} == {number for number, _ in rows}
    missing = [
        (number, name)
        for number, path, name in named
        if f"def {name}(" not in (ROOT / "tests" / path).read_text()
    ]
    assert missing == []


def test_no_mail_case_is_left_out() -> None:
    """M01–14 threads, M20–27 loops and bounces, M30–41 silent loss."""
    told = [int(number) for number in re.findall(r"^\| M(\d\d) \|", _mail_cases(), re.MULTILINE)]
    assert told == [*range(1, 15), *range(20, 28), *range(30, 42)]


def _mail_cases() -> str:
    return (ROOT / "docs" / "mail-cases.md").read_text()
