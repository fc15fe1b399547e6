"""HTML mails as plain text."""

from __future__ import annotations

import time

import pytest

from tierdesk.channels.email.plain import html_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hi &amp; bye<br>line two</p><p>next</p>", "Hi & bye\nline two\n\nnext"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<style>p{}</style><script>alert(1)</script><title>T</title>seen", "seen"),
        ("<!-- hidden --><!doctype html>shown", "shown"),
        (
            "new<blockquote>old<blockquote>older</blockquote></blockquote>after",
            "new\n> old\n> > older\nafter",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("unclosed <a href='x", "unclosed"),
        ("<td>a</td><td>b</td>", "a b"),
        ("white\n \t space", "white space"),
        ("", ""),
    ],
)
def test_markup_becomes_lines(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<div>", "<blockquote>", "<script>", "&", "<a b='", "<p>a", " ", "&#"]
)
def test_time_is_linear_whatever_the_markup(piece: str) -> None:
    began = time.process_time()
    html_to_text(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 3
