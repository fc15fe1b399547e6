"""One custom element per file, short, and harmless under a strict content policy."""

import re
from pathlib import Path

import pytest

from tests.web.ui.conftest import JS, ROOM, TEMPLATES

ELEMENTS = sorted((JS / "elements").glob("*.js"))
OTHERS = sorted(JS.glob("*.js"))
VENDORED = sorted((ROOM / "static/ui/vendor").glob("*.js"))


def name(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", ELEMENTS, ids=name)
def test_a_file_defines_the_one_element_it_is_named_after(file: Path) -> None:
    assert re.findall(r'customElements\.define\("([\w-]+)"', file.read_text()) == [file.stem]


@pytest.mark.parametrize("file", OTHERS, ids=name)
def test_what_is_no_element_defines_none(file: Path) -> None:
    assert "customElements" not in file.read_text()


@pytest.mark.parametrize("file", ELEMENTS + OTHERS, ids=name)
def test_a_script_fits_on_a_page(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 120


@pytest.mark.parametrize("file", ELEMENTS + OTHERS, ids=name)
def test_no_script_makes_markup_or_code_out_of_text(file: Path) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style"
    )
    assert re.findall(forbidden, file.read_text()) == []


def test_the_page_loads_every_element() -> None:
    loaded = set(re.findall(r'import "\./elements/([\w-]+)\.js"', (JS / "app.js").read_text()))
    assert loaded == {file.stem for file in ELEMENTS}


def test_every_element_that_templates_use_is_defined() -> None:
    used = set(
        re.findall(r"<([a-z]+-[a-z-]+)", "\n".join(file.read_text() for file in TEMPLATES.rglob("*.html")))
    )
    assert used == {file.stem for file in ELEMENTS}


@pytest.mark.parametrize("file", VENDORED, ids=name)
def test_a_vendored_script_is_accounted_for_and_asks_for_no_map(file: Path) -> None:
    assert f"`{file.name}`" in (file.parent / "README.md").read_text()
    assert "sourceMappingURL" not in file.read_text()


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=name)
def test_a_template_leaves_nothing_for_the_content_policy_to_stop(file: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", file.read_text(), flags=re.DOTALL)
    assert re.findall(r"\sstyle=|<style|\son[a-z]+=|<script>|javascript:", text) == []
    assert re.findall(r"\|\s*safe\b|autoescape", text) == []
