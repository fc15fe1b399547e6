"""The Jinja2 environment in which every page is rendered."""

from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import linebreaks
from django.utils.translation import get_language, gettext, ngettext, npgettext, pgettext
from jinja2 import Environment, FileSystemBytecodeCache, StrictUndefined
from markupsafe import Markup

from tierdesk.core.markdown import markdown, markdown_message
from tierdesk.web.ui.changes import line_changes
from tierdesk.web.ui.kept import kept
from tierdesk.web.ui.wording import channel, duration, face, filesize, initials, iso, moment, month_name


def environment(**options: Any) -> Environment:
    """Build the environment for Django's Jinja2 backend.

    Everything is escaped. A name that a template expects and nobody gave is an error, not an empty space.
    Strings are translated with `_("Due %(when)s", when=…)`, whose variables are escaped as well.
    """
    options |= {
        "autoescape": True,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        # Compiling all of them takes seconds; so they are kept between processes, in a folder that only we may write.
        "bytecode_cache": FileSystemBytecodeCache(),
    }
    env = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], **options)  # noqa: S701  # the line above escapes
    env.install_gettext_callables(  # type: ignore[attr-defined]  # the i18n extension adds it
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    env.globals |= {
        "_": words,
        "gettext": words,
        "static": static if settings.DEBUG else cache(static),
        "kept": kept,
        "url": url,
        "language": get_language,
        "messages_for": get_messages,
    }
    env.filters |= {
        "channel": channel,
        "duration": duration,
        "face": face,
        "filesize": filesize,
        "initials": initials,
        "iso": iso,
        "line_changes": line_changes,
        "linebreaks": paragraphs,
        "markdown": markdown,
        "markdown_message": markdown_message,
        "moment": moment,
        "month_name": month_name,
    }
    return env


def one_token(request: HttpRequest) -> dict[str, Any]:
    """The token of a page's forms, made once for all of them, and only for pages that have one."""
    return {"csrf_input": SimpleLazyObject(lambda: csrf_input(request))}


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named route: `url("workspace:ticket", 7)`."""
    if kwargs:
        return reverse(name, args=args or None, kwargs=kwargs)
    return _address(settings.ROOT_URLCONF, get_script_prefix(), name, args)


@lru_cache(maxsize=10_000)
def _address(_routes: str, _prefix: str, name: str, args: tuple[Any, ...]) -> str:
    return reverse(name, args=args or None)


def words(text: str, /, **given: Any) -> Markup:
    """A text in the reader's language, with what is given escaped in its blanks; one without blanks is kept."""
    return _filled(text, given) if given else _kept_words(get_language(), text)


@lru_cache(maxsize=10_000)
def _kept_words(_language: str | None, text: str) -> Markup:
    return _filled(text, {})


def _filled(text: str, given: dict[str, Any]) -> Markup:
    return Markup(gettext(text)) % given  # noqa: S704  # what templates write is ours


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs and line breaks, everything in it escaped."""
    return Markup(linebreaks(str(text), autoescape=True))  # noqa: S704  # Django escaped it
