"""Patterns mean what they mean in `re`, and cannot hang."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierdesk.response.runbooks.pattern import TEXT_CHARACTERS, PatternError, compile_pattern

PIECES = st.sampled_from(
    ["a", "b", "ab", ".", r"\d", r"\W", "[ab]", "[^a\n]", "[a-c0-]", r"\.", r"\n", "(?:)", " "]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, repeats).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


PATTERNS = st.recursive(PIECES, _grown, max_leaves=6).flatmap(
    lambda inner: st.sampled_from([inner, f"^{inner}", f"{inner}$", f"^(?:{inner})$"])
)
TEXTS = st.text("ab1. \n", max_size=12)


@given(PATTERNS, TEXTS)
def test_a_pattern_finds_what_the_standard_library_finds(source: str, text: str) -> None:
    found = re.search(source, text, re.MULTILINE) is not None
    assert compile_pattern(source).found_in(text) is found


@given(PATTERNS, TEXTS)
def test_a_pattern_fits_what_the_standard_library_fits(source: str, text: str) -> None:
    fits = re.fullmatch(source, text, re.MULTILINE) is not None
    assert compile_pattern(source).fits(text) is fits


@pytest.mark.parametrize(
    ("source", "text", "found", "reason"),
    [
        (r"ESTABLISHED", "site: ESTABLISHED, 3 h ago", True, "a plain word is looked for anywhere"),
        (r"^Filesystem", "df:\nFilesystem 1K", True, "^ is the edge of a line, not of the text"),
        (r"full$", "disk full\nnext", True, "$ is the edge of a line"),
        (r"^full$", "disk full", False, "both edges at once want the whole line"),
        (r"\d{2,3}%", "used 7%", False, "one digit is fewer than two"),
        (r"\d{2,3}%", "used 97%", True, "two digits are enough"),
        (r"up|running", "state: running", True, "either word"),
        (r"a.b", "a\nb", False, "a dot does not cross lines"),
        (r"\[error\]", "an [error] here", True, "an escaped sign is the sign"),
        (r"Größe", "die Größe", True, "letters beyond ASCII are letters"),
        (r"", "", True, "nothing is found in nothing"),
    ],
)
def test_a_pattern_is_found_or_not(source: str, text: str, found: bool, reason: str) -> None:
    assert compile_pattern(source).found_in(text) is found, reason


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ("(a", "never closed"),
        ("a)", "closes nothing"),
        ("[ab", "never closed"),
        ("*a", "repeats nothing"),
        ("a**", "repeats nothing"),
        ("a+?", "repeats nothing"),
        ("^*", "edge of a line cannot be repeated"),
        ("a{3,1}", "ends before it begins"),
        ("a{x}", "write a count as"),
        ("a{2", "write a count as"),
        (r"(a)\1", "not offered"),
        (r"\bword", "not offered"),
        ("(?=a)", "only offered as"),
        ("(?i)a", "only offered as"),
        ("[[:alpha:]]", "inside"),
        ("[z-a]", "no characters lie between"),
        ("a\\", "stands at the end"),
        ("a" * 201, "at most 200 characters"),
        ("((a{50}){50}){50}", "too much"),
        ("(a?){300}b", "too much"),
        ("(" * 30 + "a" + ")" * 30, "nested at most"),
    ],
)
def test_what_is_not_offered_is_refused_in_words(source: str, fragment: str) -> None:
    with pytest.raises(PatternError, match=re.escape(fragment)):
        compile_pattern(source)


@pytest.mark.parametrize("source", ["(a+)+$", "(a|aa)+$", "(a?){50}a{50}", "(.*)(.*)(.*)(.*)x"])
def test_a_hostile_pattern_ends(source: str) -> None:
    """With a backtracking engine none of these comes back."""
    text = "a" * 3_000 + "!"
    assert compile_pattern(source).found_in(text) is (source == "(a?){50}a{50}")


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(PatternError, match="more than"):
        compile_pattern("a").found_in("b" * (TEXT_CHARACTERS + 1))


@given(st.text(r"ab()[]{}|*+?^$\.-,:0 ", max_size=30))
def test_whatever_is_written_is_read_or_refused(source: str) -> None:
    try:
        compile_pattern(source).found_in("ab")
    except PatternError as fault:
        assert str(fault)
