"""A thing as a form: what it says, what is wrong with it, and what it was when the form was opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import yaml
from django.http import QueryDict

from tierdesk.channels.alarms.tokens import new_token
from tierdesk.ops.desk.lines import Findings, mapping, node_of, scalar
from tierdesk.ops.desk.schema import REQUIRED, Field, Item, Key, Section, Values
from tierdesk.ops.desk.shapes import TOKEN, FileText, Ref, Scalar
from tierdesk.ops.settings.changing import Thing, ThingRefused, number
from tierdesk.ops.settings.offers import Offers, name_of
from tierdesk.ops.settings.widgets import Control, Question, entry, is_blank, widget_of
from tierdesk.ops.settings.words import WORDS, Answers, Words


@dataclass
class Form:
    """A form for one thing. `key`: which one; None for a new one. `fixed`: fields that are not asked for, as they are.

    `node` is the thing as the form says it, in the file's notation, `called` what it is called. `wrong` and
    `elsewhere` are why it was refused.
    """

    section: Section
    key: Key | None
    fixed: Mapping[str, str]
    node: yaml.MappingNode
    called: str = ""
    wrong: Mapping[int, list[str]] = field(default_factory=dict)
    elsewhere: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, section: Section, row: Any) -> Form:
        """The form of a thing as it is."""
        key = section.key_of(row)
        fixed = {name: part or "" for name, part in zip(section.key, key, strict=True)}
        return cls(
            section, key, fixed, _node(section, section.notation_of(row) | fixed), name_of(section, row)
        )

    @classmethod
    def new(cls, section: Section, client: str | None) -> Form:
        """The form of a new thing; `client` is whose it is, where that matters ("" for everybody's)."""
        fixed = {} if client is None else {"client": client}
        tokens = {each.name: new_token() for each in section.fields if each.shape is TOKEN}
        return cls(section, None, fixed, _node(section, {**WORDS[section.name].begin, **tokens, **fixed}))

    def filled_in(self, posted: QueryDict) -> Form:
        """The form as somebody filled it in."""
        said = [
            (each.name, scalar(self.fixed[each.name]))
            if each.name in self.fixed
            else (each.name, widget_of(each.shape).said(each.name, posted) or scalar(""))
            for each in asked_fields(self.section)
        ]
        return replace(self, node=mapping(said))

    def refused(self, refusal: ThingRefused) -> Form:
        """The same form with what is wrong with it."""
        return replace(self, wrong=refusal.wrong, elsewhere=list(refusal.elsewhere))

    def with_part(self, name: str, node: yaml.Node) -> Form:
        """The same form with another value of a field."""
        said = [(key.value, node if key.value == name else value) for key, value in self.node.value]
        return replace(self, node=mapping(said))

    @property
    def thing(self) -> Thing:
        return Thing(self.section, self.key, self.node)

    @property
    def words(self) -> Words:
        return WORDS[self.section.name]

    @cached_property
    def item(self) -> Item | None:
        """What the form says as the file's reader understands it; None where it cannot be told which thing it is."""
        number(self.node)
        return self.section.read(self.node, Findings())

    @cached_property
    def offers(self) -> Offers:
        return Offers(self.fixed.get("client") or None)

    @cached_property
    def controls(self) -> dict[str, Control]:
        """A control for each field."""
        return {each.name: self._control(each) for each in asked_fields(self.section)}

    def _control(self, each: Field) -> Control:
        key = next((key for key, _ in self.node.value if key.value == each.name), None)
        question = Question(
            each.name,
            each.name,
            self.words,
            self.offers,
            self.wrong,
            is_required=each.default is REQUIRED,
            usual=usual_of(each),
        )
        if each.name in self.fixed:
            control = question.control("fixed", None, value=self._fixed_words(each), hint="")
        else:
            control = widget_of(each.shape).control(entry(self.node, each.name), question)
        control.errors += question.wrong_with(key)
        return control

    def _fixed_words(self, each: Field) -> str:
        text = self.fixed[each.name]
        if not text:
            return self.words.asked(each.name).empty
        offered = self.offers.to(each.shape) if isinstance(each.shape, Ref) else {}
        return offered.get(text, text)

    @property
    def parts(self) -> list[tuple[str, list[Control], Answers]]:
        """The controls, part by part, and with which answers only each is asked for; what no part names comes first."""
        named = {name for _, names in self.words.parts for name in names}
        first = [control for name, control in self.controls.items() if name not in named]
        return [
            ("", first, {}),
            *(
                (title, [self.controls[name] for name in names], self._only_with(title, names))
                for title, names in self.words.parts
            ),
        ]

    def _only_with(self, title: str, names: Sequence[str]) -> Answers:
        """What a part says, or has wrong, is seen whatever else is answered."""
        is_wrong = any(part.errors for name in names for part in self.controls[name].all())
        says_something = not is_blank(entry(self.node, names[0]) or scalar(""))
        return {} if is_wrong or says_something else self.words.only_with.get(title, {})

    @property
    def corrections(self) -> list[tuple[str, str, str]]:
        """Everything that is wrong, as (id of the control or "", its label, sentence), in the order of the form."""
        titles = {name: title for title, names in self.words.parts for name in names}
        found = [
            (
                f"field-{part.name}",
                ": ".join(
                    filter(None, (control.label or titles[name], "" if part is control else part.label))
                ),
                sentence,
            )
            for name, control in self.controls.items()
            for part in control.all()
            for sentence in part.errors
        ]
        shown = {sentence for _, _, sentence in found}
        general = [one for told in self.wrong.values() for one in told if one not in shown]
        return [*(("", "", sentence) for sentence in general), *found]


def asked_fields(section: Section) -> list[Field]:
    """The fields that a form asks for: not those that follow from others, nor files, which lie beside no browser."""
    return [each for each in section.fields if not each.derived and not isinstance(each.shape, FileText)]


def usual_of(each: Field) -> str:
    """Which of a choice holds where nothing is said; empty where that is none of them."""
    meanings = each.shape.meanings() if isinstance(each.shape, Scalar) else {}
    usual = "" if each.default is REQUIRED else str(each.shape.show(each.default))
    return usual if usual in meanings else ""


def _node(section: Section, notation: Values) -> yaml.MappingNode:
    """The fields of a form as a node: what the notation leaves out is at its default. A date belongs to one change."""
    said = {
        each.name: notation[each.name]
        if each.name in notation
        else (None if each.default is REQUIRED else each.shape.show(each.default))
        for each in asked_fields(section)
    }
    return mapping(
        (name, scalar("") if name == "effective_from" else node_of(value)) for name, value in said.items()
    )
