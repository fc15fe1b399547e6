"""What a field that names another thing may be given: the things there are, by the word that names them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tierdesk.ops.desk.schema import Key, Section, label_of
from tierdesk.ops.desk.sections import BY_NAME
from tierdesk.ops.desk.shapes import Ref
from tierdesk.ops.settings.words import WORDS

type Names = Mapping[str, str]
"""What the file writes → what a person reads."""


class Offers:
    """The things that an item of `client` can name. Read once, when a form first asks for them."""

    def __init__(self, client: str | None = None) -> None:
        self.client = client
        self.of = cache(self._of)

    def to(self, shape: Ref) -> Names:
        """What the shape may name."""
        names = self.of(shape.section)
        return _scopes(names) if shape.is_scope else names

    def _of(self, section: str) -> Names:
        found = {key: name_of(BY_NAME[section], row) for key, row in rows_of(section).items()}
        nearer_last = sorted(found, key=lambda key: key[0] is not None)
        offered = {str(key[-1]): found[key] for key in nearer_last if self._reaches(section, key)}
        return dict(sorted(offered.items(), key=lambda one: one[1].casefold()))

    def _reaches(self, section: str, key: Key) -> bool:
        return BY_NAME[section].key[0] != "client" or key[0] in (None, self.client)


def rows_of(section: str) -> dict[Key, Any]:
    """All rows of a section by their key."""
    schema = BY_NAME[section]
    return {schema.key_of(row): row for row in schema.rows()}


def name_of(section: Section, row: Any) -> str:
    """What a person calls the thing."""
    called = WORDS[section.name].called
    if called:
        return called(row)
    if "name" in section.by_name:
        return str(section.by_name["name"].of(row))
    return label_of(section.key_of(row))


def _scopes(categories: Names) -> Names:
    """A category, everything under one, or all of them."""
    scopes = {"*": "Every category"}
    for path, name in sorted(categories.items()):
        scopes[path] = f"{path} · {name}"
        if any(other.startswith(f"{path}/") for other in categories):
            scopes[f"{path}/*"] = f"{path}/* · {name}, and all under it"
    return scopes
