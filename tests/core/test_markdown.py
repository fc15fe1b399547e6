"""Markdown becomes safe HTML, and stays useful."""

import pytest

from tierdesk.core.markdown import markdown, markdown_message


@pytest.mark.parametrize(("text", "html"), [
    ("**bold** and ~~gone~~", "<p><strong>bold</strong> and <s>gone</s></p>"),
    ("one\ntwo", "<p>one<br>\ntwo</p>"),
    ("`a < b`", "<p><code>a &lt; b</code></p>"),
    ("3. third", '<ol start="3">\n<li>third</li>\n</ol>'),
    ("[KB](/kb/7)", '<p><a href="/kb/7" rel="noopener noreferrer nofollow">KB</a></p>'),
    ("[mail](mailto:a@b.de)", '<p><a href="mailto:a@b.de" rel="noopener noreferrer nofollow">mail</a></p>'),
])  # fmt: skip
def test_what_people_write_is_kept(text: str, html: str) -> None:
    assert markdown(text).strip() == html


@pytest.mark.parametrize(("text", "forbidden"), [
    ("<script>alert(1)</script>", "<script"),
    ("<img src=x onerror=alert(1)>", "<img"),
    ("![spy](https://evil.example/p.gif)", "evil.example"),
    ("[x](javascript:alert(1))", "href"),
    ("[x](//evil.example)", "href"),
    (r"[x](/\evil.example)", "href=\"/\\"),
    ("[x](data:text/html,hello)", "href=\"data"),
    ("[x](relative/path)", "href"),
    ("<a id=token name=csrf class=toast>x</a>", "<a"),
])  # fmt: skip
def test_what_strangers_smuggle_is_not(text: str, forbidden: str) -> None:
    assert forbidden not in markdown(text)


@pytest.mark.parametrize(("text", "html"), [
    ("# ls /var\n**full**", "<p># ls /var<br>\n<strong>full</strong></p>"),
    ("a line\n---", "<p>a line</p>\n<hr>"),
    ("1. stop\n2. start", "<ol>\n<li>stop</li>\n<li>start</li>\n</ol>"),
    ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
])  # fmt: skip
def test_in_a_message_there_are_no_headlines(text: str, html: str) -> None:
    assert markdown_message(text).strip() == html
