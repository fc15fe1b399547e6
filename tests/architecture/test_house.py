"""The walls of the house: what import contracts cannot see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, ManyToManyField, Model, OneToOneField

from tierdesk.core.facts import KINDS
from tierdesk.flow import FLOW, WAKEUPS

ROOT = Path(__file__).parents[2]
FLOORS = ["core", "directory", "tickets", "response", "learning", "channels", "web", "ops"]
ROOMS_OF_DIRECTORY = [{"calendars"}, {"staff"}, {"clients"}, {"services"}, {"contracts", "oncall"}]


def ours() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("tierdesk.")]


def floor(model: type[Model]) -> int:
    return FLOORS.index(model.__module__.split(".")[1])


def storey(model: type[Model]) -> int:
    label = model._meta.app_label
    return next((i for i, rooms in enumerate(ROOMS_OF_DIRECTORY) if label in rooms), 0)


def test_every_foreign_key_points_down_a_floor_or_stays_in_its_room() -> None:
    climbing = []
    for model in ours():
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey | OneToOneField | ManyToManyField):
                continue
            target = field.related_model
            if not target.__module__.startswith("tierdesk."):
                continue
            same_room = target._meta.app_label == model._meta.app_label
            lower_floor = floor(target) < floor(model)
            lower_storey = floor(target) == floor(model) == FLOORS.index("directory") and storey(
                target
            ) < storey(model)
            if not (same_room or lower_floor or lower_storey):
                climbing.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    assert climbing == []


@pytest.mark.django_db
def test_every_table_with_a_client_is_locked_by_a_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'clients_only'")
        locked = {row[0] for row in cursor.fetchall()}
    open_by_design = {"clients_assignment"}  # read before the lock is set, to know what it should show
    with_client = {
        m._meta.db_table for m in ours() if any(f.column == "client_id" for f in m._meta.concrete_fields)
    }
    assert with_client - locked == open_by_design
    assert "clients_client" in locked


def test_every_fact_of_the_flow_is_a_fact_and_every_reaction_says_what_it_does() -> None:
    for fact, reactions in FLOW.items():
        assert KINDS[fact.kind] is fact
        assert fact.__doc__, f"{fact.__name__} does not say what happened"
        for reaction in [*reactions.now, *reactions.later]:
            assert reaction.__module__.endswith("reactions"), f"{reaction} does not live in a reactions.py"


def test_every_fact_is_wired_or_listed_as_only_told() -> None:
    """A fact that nobody answers is either missing in the flow or only for the reader of the timeline."""
    only_told = set((ROOT / "docs" / "facts-only-told.txt").read_text().split())
    unanswered = {kind for kind, fact in KINDS.items() if fact not in FLOW and not fact.__subclasses__()}
    assert unanswered == only_told


def test_every_wake_at_column_is_drained_and_partially_indexed() -> None:
    sleeping = {m for m in ours() if any(f.name == "wake_at" for f in m._meta.concrete_fields)}
    assert sleeping == {wakeup.model for wakeup in WAKEUPS}
    for model in sleeping:
        partial = [i for i in model._meta.indexes if i.fields[:1] == ["wake_at"] and i.condition is not None]
        assert partial, f"{model.__name__}.wake_at has no partial index"


def test_only_the_clock_reads_the_system_clock() -> None:
    reading = re.compile(r"datetime\.now\(|timezone\.now\(|datetime\.utcnow\(|date\.today\(")
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tierdesk").rglob("*.py")
        if path.name != "clock.py" and "migrations" not in path.parts and reading.search(path.read_text())
    ]
    assert offenders == []


def test_no_room_has_a_junk_drawer() -> None:
    banned = {"services.py", "utils.py", "helpers.py", "managers.py", "signals.py"}
    drawers = [p for p in (ROOT / "tierdesk").rglob("*.py") if p.name in banned]
    assert drawers == []
