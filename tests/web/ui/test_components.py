"""Every component escapes what it is given, is offered under one name, and is shown in the gallery."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from jinja2 import Environment, UndefinedError
from jinja2.runtime import Macro

from tests.web.ui.conftest import COMPONENTS, TEMPLATES
from tierdesk.web.ui.kept import Kept

H = """<script>alert("hm")</script>'"""
AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
ATTRS = {"data-x": H}
UNDO = {"label": H, "href": H}


class HostileForm(forms.Form):
    """A form whose every word comes from somebody else."""

    subject = forms.CharField(label=H, help_text="plain", initial=H)
    choice = forms.ChoiceField(label=H, choices=[(H, H)], widget=forms.RadioSelect)
    flag = forms.BooleanField(label=H)


FORM = HostileForm({"subject": ""})

HOSTILE: dict[str, dict[str, Any]] = {
    "attachment": {"name": H, "href": H, "octets": 3},
    "avatar": {"name": H, "kind": H, "size": H},
    "avatar_stack": {"names": [H, H], "limit": 1},
    "badge": {"label": H, "tone": H, "icon": H},
    "banner": {"text": H, "title": H, "actions": H},
    "bound_field": {"bound": FORM["choice"]},
    "bound_form": {"form": FORM},
    "brand": {"name": H, "href": H},
    "breadcrumb": {"items": [(H, H), (H, None)]},
    "button": {"label": H, "href": H, "icon": H, "key": H, "show_key": True, "attrs": ATTRS},
    "button_group": {"label": H, "caller": H},
    "card": {"title": H, "actions": H, "id": H, "caller": H},
    "change_list": {
        "items": [
            {"label": H, "old": H, "new": H, "is_text": False},
            {"label": H, "old": H, "new": "", "is_text": True},
        ]
    },
    "chart": {"id": H, "caption": H, "columns": [{"label": H}, {"label": H}], "rows": [[H, H]], "unit": H},
    "checkbox": {"name": H, "label": H, "value": H, "hint": H, "errors": [H], "attrs": ATTRS},
    "checkboxes": {"name": H, "label": H, "options": [(H, H)], "values": [H], "hint": H, "errors": [H]},
    "code_area": {"name": H, "label": H, "value": H, "hint": H, "errors": [H]},
    "clock_card": {
        "name": H,
        "state": "ok",
        "used": HOUR,
        "target": HOUR,
        "due_at": AT,
        "note": H,
        "href": H,
    },
    "clock_chip": {"name": H, "state": "breached", "due_at": AT, "href": H},
    "clock_words": {"state": "paused", "left": HOUR},
    "composer": {
        "action": H,
        "csrf": H,
        "to": H,
        "value": H,
        "draft": H,
        "tools": H,
        "submit": H,
        "errors": [H],
        "placeholder": H,
    },
    "confirm_action": {"id": H, "question": H, "text": H, "confirm": H, "caller": H},
    "copy_lines": {"caller": H},
    "count": {"number": H, "what": H, "tone": H},
    "data_table": {"caption": H, "columns": [{"label": H, "href": H}], "rows": [[H]], "id": H, "foot": [H]},
    "dialog": {"id": H, "title": H, "foot": H, "caller": H},
    "diff": {"before": H, "after": "other", "label": H},
    "empty_state": {"title": H, "text": H, "icon": H, "caller": H},
    "field": {"label": H, "id": H, "hint": H, "errors": [H], "caller": H},
    "fixed": {"label": H, "value": H, "hint": H},
    "form_actions": {"caller": H},
    "form_errors": {"errors": [H], "title": H},
    "grid_field": {
        "name": H,
        "label": H,
        "columns": [H],
        "rows": [(H, [H], [H])],
        "over": [(H, 1)],
        "corner": H,
        "labels": [H],
        "hint": H,
        "errors": [H],
    },
    "icon": {"name": H, "label": H},
    "input": {"name": H, "label": H, "value": H, "hint": H, "errors": [H], "placeholder": H, "attrs": ATTRS},
    "kbd": {"keys": H},
    "list_keys": {"following": H, "before": H, "opening": H, "picking": H},
    "link_card": {"title": H, "href": H, "text": H, "icon": H, "count": H},
    "live_updates": {"src": H},
    "menu": {"id": H, "label": H, "icon": H, "key": H, "face": H, "caller": H},
    "menu_heading": {"label": H},
    "menu_item": {"label": H, "action": H, "csrf": H, "fields": {H: H}, "icon": H, "key": H, "attrs": ATTRS},
    "menu_line": {},
    "message": {
        "kind": "note",
        "author": H,
        "at": AT,
        "detail": H,
        "id": H,
        "actions": H,
        "caller": H,
        "attachments": [{"name": H, "href": H, "octets": 3}],
    },
    "message_frame": {"src": H, "title": H},
    "nav_item": {"label": H, "href": H, "icon": H, "count": H, "key": H},
    "nav_section": {"label": H, "caller": H},
    "page_header": {"title": H, "meta": H, "caller": H},
    "pagination": {"newer": H, "older": H, "summary": H},
    "panel": {"title": H, "actions": H, "id": H, "caller": H},
    "person": {"name": H, "href": H},
    "pick": {"name": H, "value": H, "label": H},
    "pick_all": {"label": H},
    "pick_bar": {"label": H, "bulk": H},
    "pick_count": {},
    "picks": {"label": H, "bulk": H, "caller": H},
    "post_button": {"label": H, "action": H, "csrf": H, "fields": {H: H}, "icon": H, "attrs": ATTRS},
    "priority_mark": {"priority": 1, "name": H},
    "progress": {"label": H, "value": 1, "text": H},
    "progress_bar": {"label": H, "value": 1, "tone": H},
    "property": {"label": H, "value": H},
    "property_list": {"caller": H},
    "queue": {"label": H, "bulk": H, "headings": {"tier": {"href": H, "label": H}}, "caller": H},
    "queue_row": {
        "number": H,
        "subject": H,
        "href": H,
        "priority": 1,
        "state": "new",
        "client": H,
        "tier": 1,
        "updated_at": AT,
        "id": H,
        "clock": H,
        "assignee": H,
        "contact": H,
        "reason": H,
        "read": False,
        "pick_value": H,
        "live": H,
        "refetch": H,
        "badges": H,
    },
    "radio_cards": {
        "name": H,
        "label": H,
        "options": [{"value": H, "label": H, "hint": H}],
        "hint": H,
        "errors": [H],
    },
    "row_list": {"name": H, "label": H, "rows": [H], "blank": H, "hint": H, "errors": [H], "add": H},
    "search_field": {"action": H, "value": H, "label": H, "key": H},
    "show_when": {"answers": {"device": [H]}, "caller": H},
    "segmented": {"name": H, "label": H, "options": [{"value": H, "label": H, "icon": H, "key": H}]},
    "select": {
        "name": H,
        "label": H,
        "options": [(H, H), (H, [(H, H)])],
        "value": H,
        "hint": H,
        "errors": [H],
    },
    "skeleton": {},
    "sparkline": {"values": [1, 0, 2], "words": H},
    "stat": {"label": H, "value": H, "unit": H, "note": H, "note_tone": H, "href": H, "icon": H},
    "state_mark": {"state": "new"},
    "state_pill": {"state": "new", "label": H},
    "step": {"title": H, "note": H, "kind": "manual", "caller": H},
    "stepper": {"label": H, "caller": H},
    "table": {"caption": H, "id": H, "caller": H},
    "table_heading": {"label": H, "href": H},
    "tabs": {"label": H, "items": [{"label": H, "href": H, "icon": H, "count": H}], "tools": H},
    "textarea": {
        "name": H,
        "label": H,
        "value": H,
        "hint": H,
        "errors": [H],
        "placeholder": H,
        "attrs": ATTRS,
    },
    "tier_badge": {"tier": 1, "performed_by": H},
    "time_ago": {"at": AT},
    "time_at": {"at": AT},
    "time_bar": {
        "label": H,
        "segments": [{"kind": "paused", "from": 0, "to": 1, "label": H}],
        "start": H,
        "end": H,
        "marks": [{"at": 0.5, "kind": "due", "label": H}],
    },
    "time_left": {"at": AT},
    "time_running": {"since": AT},
    "timeline": {"label": H, "id": H, "caller": H},
    "timeline_entry": {
        "text": H,
        "at": AT,
        "actor": H,
        "icon": H,
        "cause": {"text": H, "href": H},
        "caller": H,
    },
    "toast": {"text": H, "undo": UNDO},
    "toast_region": {"caller": H},
    "unsaved_changes": {"caller": H},
    "tooltip": {"id": H, "text": H, "caller": H},
}


def macros(source: str) -> set[str]:
    return set(re.findall(r"\{%-? macro ([a-z]\w*)\(", source))


def offered(ui: Any) -> set[str]:
    return {name for name in dir(ui) if isinstance(getattr(ui, name), Macro | Kept)}


def test_every_macro_of_every_component_is_offered_under_ui(ui: Any) -> None:
    written = set().union(*(macros(file.read_text()) for file in COMPONENTS.glob("*.html")))
    assert offered(ui) == written


def test_every_component_is_tried_with_hostile_words(ui: Any) -> None:
    assert offered(ui) == HOSTILE.keys()


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_component_escapes_whatever_it_is_given(ui: Any, name: str) -> None:
    given = dict(HOSTILE[name])
    if "caller" in given:
        words = given.pop("caller")
        given["caller"] = lambda *_: words
    html = str(getattr(ui, name)(**given))
    assert "<script" not in html
    assert '"hm"' not in html, "a quotation mark reached an attribute or the text unescaped"


@pytest.mark.parametrize("name", sorted(name for name, given in HOSTILE.items() if H in given.values()))
def test_the_words_themselves_still_arrive(ui: Any, name: str) -> None:
    given = {key: value for key, value in HOSTILE[name].items() if key != "caller"}
    words = HOSTILE[name].get("caller")
    html = str(getattr(ui, name)(**given, **({"caller": lambda *_: words} if words else {})))
    assert "&lt;script&gt;" in html


def test_every_component_is_shown_in_the_gallery(ui: Any) -> None:
    shown = (TEMPLATES / "gallery.html").read_text() + (TEMPLATES / "page_foot.html").read_text()
    assert {name for name in offered(ui) if f"ui.{name}(" not in shown} == set()


@pytest.mark.parametrize("call", [
    'ui.state_pill("escalated")', 'ui.clock_chip("Respond", "late")', 'ui.banner("x", tone="loud")',
    'ui.message("whisper", "Ada", at)', 'ui.step("x", kind="magic")',
])  # fmt: skip
def test_an_unknown_variety_is_refused_rather_than_drawn_empty(env: Environment, call: str) -> None:
    page = env.from_string('{% import "ui/components.html" as ui %}{{ ' + call + " }}")
    with pytest.raises(UndefinedError):
        page.render(at=AT)


@pytest.mark.parametrize(("chip", "words"), [
    ({"state": "ok", "left": timedelta(minutes=130)}, "2 h 10 min left"),
    ({"state": "at_risk", "left": timedelta(minutes=8)}, "at risk"),
    ({"state": "soon", "left": timedelta(minutes=38)}, "due soon"),
    ({"state": "breached", "left": timedelta(minutes=-7)}, "7 min over"),
    ({"state": "breached", "left": timedelta(minutes=-7)}, "breached"),
    ({"state": "paused", "left": HOUR}, "paused, 1 h left"),
    ({"state": "met", "took": timedelta(minutes=4)}, "met in 4 min"),
])  # fmt: skip
def test_a_clock_can_be_read_without_its_colour(ui: Any, chip: dict[str, Any], words: str) -> None:
    assert words in re.sub(r"<[^>]+>", "", str(ui.clock_chip("Respond", **chip)))


def test_an_error_is_tied_to_its_field(ui: Any) -> None:
    html = str(ui.input("phone", "Phone", hint="With prefix", errors=["Too short"]))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="field-phone-error field-phone-hint"' in html
    assert 'id="field-phone-error"' in html and 'id="field-phone-hint"' in html


def test_a_django_field_is_tied_to_its_hint_and_errors(ui: Any) -> None:
    html = str(ui.bound_field(FORM["subject"]))
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described
    assert all(f'id="{id}"' in html for id in described[1].split())
