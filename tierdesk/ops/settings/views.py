"""The settings pages. Only administrators get in; nothing changes before the difference was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.shapes import named
from tierdesk.channels.email.models import Mailbox
from tierdesk.ops.desk.change import Difference, changing_the_desk
from tierdesk.ops.desk.schema import REQUIRED, Key, Section, label_of
from tierdesk.ops.desk.sections import BY_NAME
from tierdesk.ops.desk.shapes import Ref, zones
from tierdesk.ops.settings.changing import Place, ThingRefused, change, look_over
from tierdesk.ops.settings.form import Form
from tierdesk.ops.settings.listing import address_of, called, found_in_all, lines_of, slug_of
from tierdesk.ops.settings.meanwhile import Clash, bring_up_to_date, seen
from tierdesk.ops.settings.naming import named_by
from tierdesk.ops.settings.offers import Offers, name_of, rows_of
from tierdesk.ops.settings.rows import rearranged
from tierdesk.ops.settings.telling import story_of
from tierdesk.ops.settings.words import FIRST_STEPS, GROUPS, WORDS
from tierdesk.web.workspace.guard import admin_page, user_of

A_PAGE: Final = 100
SHOWN: Final = 5
"""So many things of one section are shown where a page only says that there are some."""


@admin_page
def home(request: HttpRequest) -> HttpResponse:
    """All sections with their counts or, with `q`, every thing that has these words."""
    query = request.GET.get("q", "").strip()
    counts = {name: section.rows().count() for name, section in BY_NAME.items()}
    context = {
        "query": query,
        "counts": counts,
        "found": list(found_in_all(query)) if query else [],
        "steps": [(name, bool(counts[name])) for name in FIRST_STEPS],
    }
    return page(request, "home.html", context)


@admin_page
def check(request: HttpRequest) -> HttpResponse:
    """What does not hang together in the desk as it is. The home fetches it: it takes a look at every thing."""
    template = "faults.html" if request.headers.get("HX-Request") else "check.html"
    wrong, doubts = look_over()
    told = {"faults": [_told(*fault) for fault in wrong], "doubts": [_told(*doubt) for doubt in doubts]}
    return page(request, template, told, section="check")


@admin_page
def section(request: HttpRequest, name: str) -> HttpResponse:
    """All things of a section, or those with the words of `q`."""
    schema, query = _schema(name), request.GET.get("q", "").strip()
    lines = lines_of(schema, query)
    context = {
        "query": query,
        "lines": Paginator(lines, A_PAGE).get_page(request.GET.get("page")),
        "columns": [WORDS[name].asked(column).label for column in WORDS[name].columns],
        "missing": _missing(schema),
    }
    return page(request, "section.html", context, section=name)


@admin_page
def new(request: HttpRequest, name: str) -> HttpResponse:
    """A form for a new thing. Where it belongs to a client, that is asked first: what it can name follows from it."""
    schema = _schema(name)
    client = _client_of_new(schema, request)
    if client is None and "client" in schema.by_name:
        return _ask_whose(request, schema)
    form = Form.new(schema, client)
    return _answer(request, form) if request.method == "POST" else form_page(request, form)


@admin_page
def thing(request: HttpRequest, name: str, slug: str) -> HttpResponse:
    """A thing as a form. POST shows the difference, and with `do=apply` brings it about."""
    schema = _schema(name)
    row = next((row for key, row in rows_of(name).items() if slug_of(key) == slug), None)
    if row is None:
        raise Http404
    form = Form.of(schema, row)
    if request.method == "POST":
        return _answer(request, form)
    return form_page(request, form, seen=seen(schema, row), beside=_beside(row))


def _beside(row: Any) -> list[tuple[str, str, str]]:
    """The pages of a thing that its form does not hold: (what, where, icon)."""
    if isinstance(row, Mailbox):
        return [(_("How it does"), reverse("settings:mailbox", args=[row.pk]), "send")]
    if isinstance(row, Source):
        pages = [(_("How it is pointed here"), reverse("settings:pointed-here", args=[row.pk]), "book")]
        if named(row.shape).speaks_by_mapping:
            pages.append((_("Point at a sample"), reverse("settings:mapping", args=[row.pk]), "settings"))
        return pages
    return []


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, section: str = "", status: int = 200
) -> HttpResponse:
    """A page with everything that stands around it. `section`: the one that it belongs to."""
    around = {
        "user": user_of(request),
        "groups": GROUPS,
        "all_words": WORDS,
        "section": section,
        "words": WORDS.get(section),
    }
    return render(request, f"settings/{template}", around | context, status=status)


def form_page(
    request: HttpRequest,
    form: Form,
    *,
    seen: str = "",
    clashes: Sequence[Clash] = (),
    status: int = 200,
    action: str = "",
    beside: Sequence[tuple[str, str, str]] = (),
) -> HttpResponse:
    """The form. `seen`: the thing as it was when the form was opened; `action`: where it goes, if not to this page.

    `beside`: what else there is about the thing.
    """
    context = {
        "action": action or request.get_full_path(),
        "form": form,
        "seen": seen,
        "clashes": clashes,
        "beside": beside,
        "elsewhere": [_told(place, sentence) for place, sentence in form.elsewhere],
        "zones": sorted(zones()),
        "since": _since(form.section, form.key) if form.key else None,
        "named_by": _named_by(form.section.name, form.key) if form.key else [],
    }
    return page(request, "thing.html", context, section=form.section.name, status=status)


def _answer(request: HttpRequest, opened: Form) -> HttpResponse:
    """What comes of a form that was filled in: rows rearranged, a refusal, the difference, or the change itself."""
    do = request.POST.get("do", "review")
    form = opened.filled_in(rearranged(request.POST, do))
    seen_then = request.POST.get("seen", "")
    if do not in ("review", "apply"):
        return form_page(request, form, seen=seen_then)
    with changing_the_desk():
        rows = rows_of(form.section.name)
        try:
            _check_intent(form, rows)
            if form.key is not None:
                row = rows[form.key]
                form, clashes = bring_up_to_date(form, row, seen_then)
                if clashes:
                    now = seen(form.section, row)
                    return form_page(request, form, seen=now, clashes=clashes, status=409)
            difference = change(form.thing, dry_run=do != "apply")
        except ThingRefused as refusal:
            return form_page(request, form.refused(refusal), seen=seen_then, status=422)
    if not difference.changes:
        messages.info(request, "Nothing to do: it is as you wrote it.")
        return redirect("settings:section", form.section.name)
    return _applied(request, form, difference) if do == "apply" else _review(request, form, difference)


def _check_intent(form: Form, rows: Mapping[Key, Any]) -> None:
    """A file says what there is; a form also means a new thing, or a certain one. Raises ThingRefused."""
    item, one = form.item, WORDS[form.section.name].one
    if item is None or item.key == form.key:
        return
    if form.key is not None:
        sentence = f"This would be another {one}, “{label_of(item.key)}”; leave its key as it is."
        raise ThingRefused({item.line: [sentence]}, [])
    if item.key in rows:
        sentence = f"“{label_of(item.key)}” is there already; change that {one}."
        raise ThingRefused({item.line_of(form.section.key[-1]): [sentence]}, [])


def _review(request: HttpRequest, form: Form, difference: Difference) -> HttpResponse:
    """The difference, and the form once more, hidden, so that it can be applied or gone on with."""
    hidden = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("do", "csrfmiddlewaretoken")
        for value in values
    ]
    stories = [story_of(one) for one in difference.changes]
    own = [story for story in stories if story.section == form.section.name]
    context = {
        "form": form,
        "stories": [*own, *(story for story in stories if story not in own)],
        "hidden": hidden,
        "doubts": [doubt for _line, doubt in difference.doubts],
    }
    return page(request, "review.html", context, section=form.section.name)


def _applied(request: HttpRequest, form: Form, difference: Difference) -> HttpResponse:
    story = next(story_of(one) for one in difference.changes)
    messages.success(request, f"{story.name}: {'added' if story.is_new else 'changed'}.")
    return redirect(_next_page(form) or reverse("settings:section", args=[form.section.name]))


def _next_page(form: Form) -> str:
    """Where a new thing is put to use: a mailbox is tried out, a source is pointed here; empty for all others."""
    if form.key is not None or form.item is None:
        return ""
    pages = _beside(rows_of(form.section.name).get(form.item.key))
    return pages[0][1] if pages else ""


def _schema(name: str) -> Section:
    if name not in BY_NAME:
        raise Http404
    return BY_NAME[name]


def _missing(schema: Section) -> list[str]:
    """The sections that must have something before this one can."""
    needed = (
        each.shape.section
        for each in schema.fields
        if isinstance(each.shape, Ref) and each.default is REQUIRED
    )
    return [name for name in dict.fromkeys(needed) if not BY_NAME[name].rows().exists()]


def _client_of_new(schema: Section, request: HttpRequest) -> str | None:
    """Whose the new thing is: as the address says, or the only client there is; None where it must be asked."""
    if "client" not in schema.by_name:
        return None
    keys = [str(key[0]) for key in rows_of("clients")]
    asked, may_be_everybodys = request.GET.get("client"), schema.by_name["client"].default is None
    if asked in keys or (asked == "" and may_be_everybodys):
        return asked
    return keys[0] if len(keys) == 1 and not may_be_everybodys else None


def _ask_whose(request: HttpRequest, schema: Section) -> HttpResponse:
    """The question before the form; without any client, what to do first."""
    may_be_everybodys = schema.by_name["client"].default is None
    options = [("", WORDS[schema.name].asked("client").empty)] if may_be_everybodys else []
    context = {
        "options": [*options, *Offers().of("clients").items()],
        "missing": _missing(schema),
        "stays": "client" in schema.key,
    }
    return page(request, "whose.html", context, section=schema.name)


def _since(schema: Section, key: Key) -> Any:
    """When what is in force began, where things come in versions with a date."""
    begins = schema.by_name.get("effective_from")
    return begins.of(rows_of(schema.name)[key]) if begins else None


def _named_by(section: str, key: Key) -> list[tuple[str, list[tuple[str, str]], int]]:
    """Who names the thing: by section some of them with their addresses, and how many there are."""
    return [
        (
            name,
            [(name_of(BY_NAME[name], row), address_of(name, one)) for one, row in found[:SHOWN]],
            len(found),
        )
        for name, found in named_by(section, key).items()
    ]


def _told(place: Place, sentence: str) -> tuple[str, str, str]:
    """A thing that is found faulty: what it is called, where its page is, and why."""
    return called(*place), address_of(*place), sentence
