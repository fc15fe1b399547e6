"""Markdown that people wrote, made safe to show, on a page or in a mail."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
_of_messages = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable(["heading", "lheading"])
)

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "s"),
    *("ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def markdown(text: str) -> Markup:
    """Render CommonMark with tables to HTML.

    Raw HTML in the text is shown as text. Pictures are dropped, for a remote one tells its sender that it was
    read. Links lead to the web, to mail, to a phone or, with one leading slash, to our own pages.
    """
    return _cleaned(_parser.render(text))


@lru_cache(maxsize=1_000)
def markdown_message(text: str) -> Markup:
    """The same for what is said in a conversation: `# ls` is a command there, and no headline of the page."""
    return _cleaned(_of_messages.render(text))


def _cleaned(rendered: str) -> Markup:
    html = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_own_or_absolute,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(html)  # noqa: S704  # cleaned above; this filter is the gate


def _own_or_absolute(tag: str, attribute: str, value: str) -> str | None:
    """Drop relative links other than `/path`: browsers read `//host` and `/\\host` as another site."""
    if attribute != "href":
        return value
    if value.startswith("/"):
        return value if value[1:2] not in {"/", "\\"} else None
    return value if ":" in value else None
