"""Components that are rendered once for each way in which they are used, and are never taken for one another."""

import pytest
from django.template import engines
from django.utils import translation
from jinja2.nodes import EvalContext
from markupsafe import Markup

from tierdesk.web.ui import kept


def words(source: str, **given: object) -> str:
    macro = "{% macro sign(one=none, other=none) %}{{ one }} {{ other }} {{ _('optional') }}{% endmacro %}"
    template = engines["jinja2"].from_string(macro + "{% set sign = kept(sign) %}" + source)
    return template.render(given)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("<b>", Markup("<b>"), "text is escaped, markup is not, and they are equal"),
        (1, True, "they are equal"),
        (0, None, "both are nothing"),
        ("1", 1, "both are written as 1"),
        (["<b>"], [Markup("<b>")], "the same, within a list"),
        ({"a": 1}, {"a": True}, "the same, within a dictionary"),
        ([("a", "b")], [["a", "b"]], "another kind of list"),
        ("x" * 900, "x" * 901, "long words, which are not kept"),
        (1.0, 1, "a number of a kind that is not kept"),
    ],
)
def test_what_differs_is_rendered_by_itself(first: object, second: object, why: str) -> None:
    alone = [words("{{ sign(one) }}", one=one) for one in (first, second)]
    both = words("{% for one in all %}{{ sign(one) }}|{% endfor %}", all=[first, second, first, second])
    assert both == "|".join([*alone, *alone, ""]), why


def test_an_argument_is_known_by_its_name() -> None:
    assert words("{{ sign(one=1) }}{{ sign(other=1) }}{{ sign(1) }}") == words("{{ sign(1, none) }}") + words(
        "{{ sign(none, 1) }}"
    ) + words("{{ sign(1, none) }}")


def test_each_language_has_its_own() -> None:
    seen: list[str | None] = []

    def written(_context: object, *_given: object) -> str:
        seen.append(translation.get_language())
        return ""

    sign = kept.Kept(written)  # type: ignore[arg-type]
    context = EvalContext(engines["jinja2"].env)
    for language in ("en", "de", "en", "de"):
        with translation.override(language):
            sign(context, "a word")
    assert seen == ["en", "de"]


def test_it_is_rendered_once_and_never_keeps_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 3)
    seen: list[int] = []
    sign = kept.Kept(lambda _context, number: seen.append(number) or str(number))  # type: ignore[arg-type, func-returns-value]
    context = EvalContext(engines["jinja2"].env)
    assert [sign(context, number) for number in (1, 2, 1, 2, 3, 4, 1)] == list("1212341")
    assert seen == [1, 2, 3, 4, 1]
    assert len(sign._made) <= 3


def test_a_caller_is_called_each_time() -> None:
    source = "{% macro box() %}<{{ caller() }}>{% endmacro %}{% set box = kept(box) %}"
    shown = engines["jinja2"].from_string(
        source + "{% for one in (1, 2) %}{% call box() %}{{ one }}{% endcall %}{% endfor %}"
    )
    assert shown.render() == "<1><2>"
