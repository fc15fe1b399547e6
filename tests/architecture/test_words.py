"""A partial index on a word is used only if conditions write the word out: its column is a Word (ADR 0015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Field, Model, Q

from tierdesk.core.words import PLAIN, Word

MODELS = [model for model in apps.get_models() if model.__module__.startswith("tierdesk.")]


def conditions(condition: Q) -> Iterator[tuple[str, Any]]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from conditions(child)
        else:
            assert isinstance(child, tuple)
            yield child


def words_of(model: type[Model]) -> Iterator[tuple[str, Field[Any, Any]]]:
    """The columns that an index of the model names by one or some of their words, with the name of the index."""
    for index in model._meta.indexes:
        for name, value in conditions(index.condition or Q()):
            values = value if isinstance(value, list | tuple) else [value]
            if all(isinstance(one, str) and PLAIN.fullmatch(one) for one in values):
                yield index.name, model._meta.get_field(name.removesuffix("__in"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_index_of_some_words_is_on_a_column_of_words(model: type[Model]) -> None:
    assert [name for name, field in words_of(model) if not isinstance(field, Word)] == []


def test_there_are_such_indexes() -> None:
    assert sum(1 for model in MODELS for _ in words_of(model)) >= 8
