"""The styles keep their own rules: tokens for every value, one file per component, nothing dead."""

import re
from pathlib import Path

import pytest

from tests.web.ui.conftest import COMPONENTS, CSS, JS, ROOM

SHEETS = sorted(CSS.rglob("*.css"))
WITHOUT_A_TEMPLATE = {"prose"}
WITHOUT_A_STYLE = {"live", "time"}
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b(?=[;\s,)])|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\(", re.IGNORECASE)


def rules(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)


def ids(sheet: Path) -> str:
    return str(sheet.relative_to(CSS))


@pytest.mark.parametrize("sheet", [one for one in SHEETS if one.name != "tokens.css"], ids=ids)
def test_colours_are_named_in_the_tokens_and_nowhere_else(sheet: Path) -> None:
    assert COLOUR.findall(rules(sheet)) == []


@pytest.mark.parametrize("sheet", [one for one in SHEETS if one.name != "reset.css"], ids=ids)
def test_no_rule_needs_to_shout(sheet: Path) -> None:
    assert "!important" not in rules(sheet)


def test_every_token_that_is_used_exists_and_every_token_that_exists_is_used() -> None:
    everything = "\n".join(map(rules, SHEETS)) + "\n".join(file.read_text() for file in JS.rglob("*.js"))
    tokens = set(re.findall(r"^\s*(--[\w-]+):", rules(CSS / "tokens.css"), re.MULTILINE))
    defined = set(re.findall(r"(--[\w-]+):", everything))
    used = set(re.findall(r"var\((--[\w-]+)", everything))
    series = {f"--series-{number}" for number in range(1, 7)}
    assert used - defined == set()
    assert tokens - used - series == set()


def test_the_sheet_of_sheets_imports_all_of_them_each_into_a_layer() -> None:
    sheet = (CSS / "app.css").read_text()
    layers = re.search(r"@layer ([^;]+);", sheet)
    imported = dict(re.findall(r'@import "([^"]+)" layer\((\w+)\);', sheet))
    assert imported.keys() == {ids(one) for one in SHEETS} - {"app.css"}
    assert layers and set(imported.values()) == set(layers[1].split(", "))


def test_a_component_has_the_same_name_in_template_and_style() -> None:
    styles = {file.stem for file in (CSS / "components").glob("*.css")}
    templates = {file.stem for file in COMPONENTS.glob("*.html")}
    assert styles - templates == WITHOUT_A_TEMPLATE
    assert templates - styles == WITHOUT_A_STYLE


def test_no_class_is_styled_that_nobody_wears() -> None:
    styled = set(
        re.findall(
            r"\.([a-z][\w-]*)", re.sub(r"url\([^)]*\)|@import[^;]+;", "", "\n".join(map(rules, SHEETS)))
        )
    )
    web = ROOM.parent
    worn = "\n".join(file.read_text() for suffix in ("html", "js") for file in web.rglob(f"*.{suffix}"))
    by_htmx = {"htmx-indicator", "htmx-request"}
    assert {name for name in styled - by_htmx if not re.search(rf"\b{name}\b", worn)} == set()
