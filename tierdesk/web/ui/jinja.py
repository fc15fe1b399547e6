"""The Jinja2 environment in which every page is rendered."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.template.backends.jinja2 import Jinja2 as DjangoJinja2
from django.template.defaultfilters import linebreaks as django_linebreaks
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext, npgettext, pgettext
from django.utils.version import PY313
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tierdesk.web.ui import changes, markdown, wording
