"""Every section and every field of the desk's file has words on the pages, and no words are about nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tierdesk.ops.desk.schema import Section
from tierdesk.ops.desk.sections import BY_NAME, SECTIONS
from tierdesk.ops.desk.shapes import ListOf, Record, Scalar, Table
from tierdesk.ops.settings.form import asked_fields
from tierdesk.ops.settings.words import FIRST_STEPS, GROUPS, WORDS
from tierdesk.web.ui.views import icon_names


def paths_in(shape: Any, path: str) -> Iterator[str]:
    """The places that a form has words for: a field and what is named inside it."""
    yield path
    if isinstance(shape, Record):
        for name, part in shape.fields.items():
            yield from paths_in(part, f"{path}.{name}")
    elif isinstance(shape, ListOf) and isinstance(shape.of, Record):
        for name, part in shape.of.fields.items():
            yield from paths_in(part, f"{path}.{name}")
    elif isinstance(shape, Table) and isinstance(shape.of, Record):
        for name in shape.of.fields:
            yield f"{path}.{name}"
    elif isinstance(shape, Table) and isinstance(shape.key, Scalar) and not shape.key.choices:
        yield from (f"{path}.key", f"{path}.value")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_a_section_is_in_words_from_end_to_end(section: Section) -> None:
    words = WORDS[section.name]
    asked = {path for field in asked_fields(section) for path in paths_in(field.shape, field.name)}
    assert words.fields.keys() == asked
    assert set(words.columns) <= section.by_name.keys()
    assert {name for _, names in words.parts for name in names} <= {
        each.name for each in asked_fields(section)
    }
    for title, answers in words.only_with.items():
        assert title in {title for title, _ in words.parts}
        for name, said in answers.items():
            assert set(said) <= section.by_name[name].shape.meanings().keys()
    assert set(words.begin) <= {each.name for each in asked_fields(section)}
    assert words.icon in icon_names()
    assert words.meaning.endswith(".") and words.first.endswith(".")


def test_every_section_is_in_one_group() -> None:
    grouped = [name for _, names in GROUPS for name in names]
    assert sorted(grouped) == sorted(BY_NAME)
    assert set(FIRST_STEPS) <= set(BY_NAME)
