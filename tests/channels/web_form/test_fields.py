"""The fields of a form: what is asked, what an answer may be, and what is wrong with a form that somebody wrote."""

from __future__ import annotations

from typing import Any

import pytest

from tierdesk.channels.registry import File
from tierdesk.channels.web_form.fields import Filled, FormField, filled, findings, readable

NAME = {"key": "name", "label": "Who starts?"}
DEVICE = {"key": "device", "label": "Which device?", "kind": "choice", "choices": ["Laptop", "Telephone"]}
SCREENS = {"key": "screens", "label": "How many screens?", "kind": "number", "when": {"device": "Laptop"}}
DOCKS = {
    "key": "docks",
    "label": "A dock, too?",
    "kind": "choice",
    "choices": ["Yes", "No"],
    "when": {"device": ["Laptop"]},
}
PLACE = {"key": "place", "label": "Where?", "when": {"docks": "Yes"}}
PAPER = {"key": "paper", "label": "The form", "kind": "file", "types": ["pdf"], "largest_mb": 1, "most": 1}


def fill(*fields: dict[str, Any], files: list[File] | None = None, **sent: str | list[str]) -> Filled:
    assert list(findings(list(fields))) == []
    said = {key: value if isinstance(value, list) else [value] for key, value in sent.items()}
    return filled([FormField.of(one) for one in fields], said, {"paper": files or []})


def test_what_is_asked_must_be_answered() -> None:
    assert fill(NAME, DEVICE, name=" ").errors.keys() == {"name", "device"}
    assert fill(NAME | {"required": False}).errors == {}


def test_a_question_is_asked_only_where_it_makes_sense() -> None:
    assert fill(DEVICE, SCREENS, device="Telephone").errors == {}
    assert fill(DEVICE, SCREENS, device="Laptop").errors.keys() == {"screens"}


def test_an_answer_to_what_was_not_asked_is_left_out() -> None:
    """A page without scripts shows all questions; and whoever changes their mind leaves answers behind."""
    assert fill(DEVICE, SCREENS, device="Telephone", screens="2").answers == {"device": "Telephone"}


def test_a_condition_on_a_question_that_was_not_asked_itself_does_not_hold() -> None:
    said = fill(DEVICE, DOCKS, PLACE, device="Telephone", docks="Yes", place="Hall")
    assert said.answers == {"device": "Telephone"}


@pytest.mark.parametrize(
    ("field", "answer", "is_fine"),
    [
        ({"kind": "date"}, "2026-12-24", True),
        ({"kind": "date"}, "24.12.2026", False),
        ({"kind": "date"}, "2026-02-30", False),
        ({"kind": "number"}, "-3,5", True),
        ({"kind": "number"}, "three", False),
        ({"kind": "email"}, "ann@acme.example", True),
        ({"kind": "email"}, "ann@", False),
        ({"kind": "choice", "choices": ["A", "B"]}, "C", False),
        ({"kind": "text"}, "x" * 301, False),
        ({"kind": "long"}, "x" * 301, True),
        ({"kind": "long"}, "x" * 20_001, False),
    ],
)
def test_an_answer_fits_its_question(field: dict[str, Any], answer: str, is_fine: bool) -> None:
    assert (fill({"key": "it", "label": "It"} | field, it=answer).errors == {}) is is_fine


def test_several_may_be_chosen_from_the_list_only() -> None:
    field = {"key": "it", "label": "It", "kind": "several", "choices": ["A", "B", "C"]}
    assert fill(field, it=["A", "C", "A"]).answers == {"it": ("A", "C")}
    assert fill(field, it=["A", "D"]).errors.keys() == {"it"}


@pytest.mark.parametrize(
    ("files", "is_fine"),
    [
        ([File("scan.PDF", "x", b"x")], True),
        ([], False),
        ([File("scan.exe", "application/pdf", b"x")], False),
        ([File("pdf", "application/pdf", b"x")], False),
        ([File("scan.pdf.exe", "application/pdf", b"x")], False),
        ([File("scan.pdf", "x", b"x" * (1024 * 1024 + 1))], False),
        ([File("a.pdf", "x", b"x"), File("b.pdf", "x", b"x")], False),
    ],
)
def test_a_file_keeps_the_rules(files: list[File], is_fine: bool) -> None:
    said = fill(PAPER, files=files)
    assert (said.errors == {}) is is_fine
    assert bool(said.files) is is_fine


def test_answers_are_readable_in_the_order_of_the_questions() -> None:
    story = {"key": "story", "label": "What happened?", "kind": "long"}
    fields = [FormField.of(one) for one in (NAME, story, DEVICE)]
    said = {"device": "Laptop", "name": "Nele", "story": "It fell.\nTwice."}
    assert (
        readable(fields, said)
        == "Who starts?: Nele\nWhat happened?\nIt fell.\nTwice.\n\nWhich device?: Laptop"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ("x", "as a list"),
        ([], "1 to 60 fields"),
        ([{"label": "No key"}], "cannot be the key"),
        ([NAME | {"key": "csrfmiddlewaretoken"}], "cannot be the key"),
        ([NAME, NAME], "Two fields are called “name”"),
        ([{"key": "it"}], "it needs a “label”"),
        ([NAME | {"kind": "signature"}], "“signature” is no kind"),
        ([NAME | {"colour": "red"}], "there is no “colour” here"),
        ([NAME | {"kind": "choice"}], "which need them"),
        ([NAME | {"choices": ["A"]}], "which need them"),
        ([DEVICE | {"choices": [True, False]}], "at most 100 texts"),
        ([NAME | {"types": ["pdf"]}], "are rules for files"),
        ([PAPER | {"types": [".pdf"]}], "list of endings"),
        ([PAPER | {"largest_mb": 11}], "from 1 to 10"),
        ([SCREENS], "which is no field above it"),
        ([DEVICE, SCREENS | {"when": {"device": "Tablet"}}], "not among its choices"),
        ([DEVICE, SCREENS | {"when": {"device": []}}], "not among its choices"),
    ],
)
def test_what_is_wrong_with_a_form_is_said(fields: Any, sentence: str) -> None:
    assert sentence in " ".join(findings(fields))
