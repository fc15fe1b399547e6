"""The fields of a form: what they ask, when they are shown, and what an answer may be. Pure.

A form's fields are data (`Form.fields`), each a mapping such as
`{"key": "device", "label": "Which device?", "kind": "choice", "choices": ["Laptop", "Telephone"]}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tierdesk.channels.registry import File

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
ENDING = re.compile(r"[a-z0-9]{1,10}")
RESERVED = frozenset({"key", "website", "sender_name", "sender_email", "csrfmiddlewaretoken"})
MOST_FIELDS = 60
MOST_CHOICES = 100
LONGEST_LINE = 300
LONGEST_TEXT = 20_000
LARGEST_MB = 10
MOST_FILES = 10
MEGA = 1024 * 1024


class Kind(StrEnum):
    TEXT = "text"
    LONG = "long"
    CHOICE = "choice"
    SEVERAL = "several"
    DATE = "date"
    NUMBER = "number"
    EMAIL = "email"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. `when`: the answers to other fields with which it is asked; none means always.

    `types`, `largest_mb` and `most` are the rules for files: endings without dot (none: any), how many, how large.
    """

    key: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = True
    hint: str = ""
    choices: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    largest_mb: int = LARGEST_MB
    most: int = 3

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> FormField:
        """The field that a form's data say; `findings` has judged them when they were written."""
        values: dict[str, Any] = dict(said)
        values["kind"] = Kind(values.get("kind", Kind.TEXT))
        values["when"] = {key: _texts(value) for key, value in values.get("when", {}).items()}
        for name in ("choices", "types"):
            values[name] = _texts(values.get(name, ()))
        return cls(**values)

    def is_asked(self, answers: Mapping[str, Answer]) -> bool:
        """Whether the question is put, given the answers to those before it."""
        return all(set(_texts(answers.get(key, ()))) & set(wanted) for key, wanted in self.when.items())


type Answer = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as somebody filled it in: the answers to what was asked, the files, and what is wrong, by field."""

    answers: Mapping[str, Answer]
    files: tuple[File, ...]
    errors: Mapping[str, Sequence[str]]


def filled(
    fields: Sequence[FormField], sent: Mapping[str, Sequence[str]], uploads: Mapping[str, Sequence[File]]
) -> Filled:
    """Read what was sent; what belongs to a question that was not asked is left out, whatever it says."""
    answers: dict[str, Answer] = {}
    files: list[File] = []
    errors: dict[str, list[str]] = {}
    for each in fields:
        if not each.is_asked(answers):
            continue
        if each.kind is Kind.FILE:
            came = list(uploads.get(each.key, ()))
            wrong = list(_wrong_files(each, came))
            files += [] if wrong else came
            answers[each.key] = tuple(file.name for file in came)
        else:
            answer = _answer(each, sent.get(each.key, ()))
            wrong = list(_wrong(each, answer))
            answers[each.key] = answer
        if wrong:
            errors[each.key] = wrong
    return Filled({key: answer for key, answer in answers.items() if answer}, tuple(files), errors)


def _answer(each: FormField, sent: Sequence[str]) -> Answer:
    said = [one.replace("\0", "").strip() for one in sent]
    if each.kind is Kind.SEVERAL:
        return tuple(dict.fromkeys(one for one in said if one))
    return said[0].replace("\r\n", "\n") if said else ""


def _wrong(each: FormField, answer: Answer) -> Iterator[str]:
    if not answer:
        if each.required:
            yield _("Choose one.") if each.choices else _("Please fill this in.")
        return
    if each.choices and not set(_texts(answer)) <= set(each.choices):
        yield _("Choose from the list.")
    elif isinstance(answer, str):
        longest = LONGEST_TEXT if each.kind is Kind.LONG else LONGEST_LINE
        if len(answer) > longest:
            yield _("This is too long: at most %(count)d characters.") % {"count": longest}
        elif each.kind is Kind.DATE and not _is_date(answer):
            yield _("This is no date; write it as 2026-12-24.")
        elif each.kind is Kind.NUMBER and not re.fullmatch(r"-?\d{1,12}([.,]\d{1,6})?", answer):
            yield _("This is no number.")
        elif each.kind is Kind.EMAIL and not is_address(answer):
            yield _("This is no e-mail address. Check it and try again.")


def _wrong_files(each: FormField, came: Sequence[File]) -> Iterator[str]:
    if each.required and not came:
        yield _("Please attach a file.")
    if len(came) > each.most:
        yield ngettext("At most one file.", "At most %(count)d files.", each.most) % {"count": each.most}
    for file in came:
        if len(file.content) > each.largest_mb * MEGA:
            told = {"name": file.name, "size": each.largest_mb}
            yield _("“%(name)s” is larger than %(size)d MB.") % told
        if each.types and _ending(file.name) not in each.types:
            told = {"name": file.name, "types": ", ".join(each.types)}
            yield _("“%(name)s” is of another kind than asked for: %(types)s.") % told


def _ending(name: str) -> str:
    return name.strip().rpartition(".")[2].lower() if "." in name else ""


def _is_date(said: str) -> bool:
    try:
        date.fromisoformat(said)
    except ValueError:
        return False
    return True


def is_address(said: str) -> bool:
    try:
        validate_email(said)
    except ValidationError:
        return False
    return len(said) <= 254


def readable(fields: Sequence[FormField], answers: Mapping[str, Answer]) -> str:
    """The answers as a person reads them, question by question, in the form's order."""
    return "\n".join(
        f"{each.label}\n{said}\n" if each.kind is Kind.LONG else f"{each.label}: {said}"
        for each in fields
        if (said := ", ".join(_texts(answers.get(each.key, ()))))
    ).strip()


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def findings(said: Any) -> Iterator[str]:
    """What is wrong with fields as somebody wrote them, as sentences that say what to do."""
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        yield "Write the fields as a list, each with a “key” and a “label”."
        return
    if not 1 <= len(said) <= MOST_FIELDS:
        yield f"A form has 1 to {MOST_FIELDS} fields."
    known: dict[str, Any] = {}
    for one in said:
        key = str(one.get("key", ""))
        if not KEY.fullmatch(key) or key in RESERVED:
            yield f"“{key[:40]}” cannot be the key of a field; write small letters, digits and “_”."
        elif key in known:
            yield f"Two fields are called “{key}”; give each its own key."
        else:
            yield from (f"Field “{key}”: {sentence}" for sentence in _wrong_field(one, known))
        known[key] = one


def _wrong_field(one: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    names = set(FormField.__dataclass_fields__)
    if unknown := sorted(map(str, one.keys() - names)):
        yield f"there is no “{unknown[0]}” here; write one of {', '.join(sorted(names))}."
    if not isinstance(one.get("label"), str) or not one["label"].strip():
        yield "it needs a “label”, the question in words."
    kind = one.get("kind", Kind.TEXT)
    if kind not in tuple(Kind):
        yield f"“{kind}” is no kind; write one of {', '.join(Kind)}."
    choices = one.get("choices", [])
    if (kind in (Kind.CHOICE, Kind.SEVERAL)) != bool(choices):
        yield "“choices” belong to the kinds choice and several, which need them."
    elif not _is_list_of_texts(choices) or len(choices) > MOST_CHOICES:
        yield f"“choices” is a list of at most {MOST_CHOICES} texts."
    if not isinstance(one.get("hint", ""), str):
        yield "“hint” is a text; put it into quotation marks."
    if not isinstance(one.get("required", True), bool):
        yield "“required” is true or false."
    if kind != Kind.FILE and one.keys() & {"types", "largest_mb", "most"}:
        yield "“types”, “largest_mb” and “most” are rules for files."
    types = one.get("types", [])
    if not _is_list_of_texts(types) or not all(ENDING.fullmatch(ending) for ending in types):
        yield "“types” is a list of endings such as [pdf, png]."
    for name, most in (("largest_mb", LARGEST_MB), ("most", MOST_FILES)):
        value = one.get(name, 1)
        if not isinstance(value, int) or not 1 <= value <= most:
            yield f"“{name}” is a whole number from 1 to {most}."
    yield from _wrong_condition(one.get("when", {}), before)


def _wrong_condition(when: Any, before: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(when, dict):
        yield "“when” names a field above and its answers: {device: [Laptop]}."
        return
    for key, wanted in when.items():
        if key not in before:
            yield f"“when” names “{key}”, which is no field above it."
            continue
        choices = before[key].get("choices") or []
        missing = [answer for answer in _listed(wanted) if answer not in choices]
        if missing or not _listed(wanted):
            yield f"“when” wants {missing or 'nothing'} of “{key}”, which is not among its choices."


def _listed(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)
