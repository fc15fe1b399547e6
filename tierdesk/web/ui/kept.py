"""Components that are rendered once for each way in which they are used: a page has a hundred icons and buttons.

What is kept is found again by everything that it was made of: each argument with its type, since `Markup` equals a
text that would have been escaped and 1 equals True, and the reader's language. So it is only for components that look
at nothing else, neither at the request nor at the clock or the reader's time zone.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Macro
from markupsafe import Markup

KEPT = 500
"""So many of each component; all are forgotten when there are more."""

LONGEST = 200
"""Characters of a text that may come again; longer ones are somebody's words."""


def kept(macro: Macro) -> Kept:
    """For templates, below the macro: `{% set icon = kept(icon) %}`."""
    return Kept(macro)


class Kept:
    """A macro that remembers what it made.

    Given a caller, a form's token, or anything else that is neither text, number, list nor dictionary, it is rendered
    as ever.
    """

    def __init__(self, macro: Macro) -> None:
        self._macro = macro
        self._made: dict[tuple[Any, ...], str] = {}

    @pass_eval_context
    def __call__(self, /, *given: Any, **named: Any) -> str:
        context, *values = given or (None,)
        if not isinstance(context, EvalContext):  # as with macros: whoever is no template gives none
            return self._macro(*given, **named)
        try:
            key = (get_language(), context.autoescape, _key_of(values), _key_of(named))
        except _ComesOnce:
            return self._macro(*given, **named)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= KEPT:
                self._made.clear()
            made = self._made[key] = self._macro(*given, **named)
        return made


class _ComesOnce(Exception):
    """An argument that cannot be told from others by its value, or that will hardly come again."""


def _key_of(value: Any) -> tuple[Any, ...]:
    kind = type(value)
    if kind is str or kind is Markup:
        if len(value) > LONGEST:
            raise _ComesOnce
        return kind, value
    if kind is int or kind is bool or value is None:
        return kind, value
    if kind is dict:
        return kind, *[(name, *_key_of(one)) for name, one in value.items()]
    if kind is tuple or kind is list:
        return kind, *[_key_of(one) for one in value]
    raise _ComesOnce
