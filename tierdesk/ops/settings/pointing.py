"""A mapping made by pointing: the values of a sample, one under the other, and beside each what of an alarm it is.

Nothing is kept here. The page carries the sample and what was pointed at until now; what comes of it is a mapping in
the form of the source, where it is reviewed and applied like every change of the desk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import orjson
from django.contrib import messages
from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404

from tierdesk.channels.alarms.mapping import (
    ACKNOWLEDGES,
    CLEARS,
    ENTRY,
    FIELDS,
    NoMapping,
    Value,
    bind,
    checked,
    each,
    guessed,
    mapped,
    values_of,
)
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.reading import MalformedAlarm
from tierdesk.channels.alarms.shapes import named
from tierdesk.ops.desk.lines import node_of
from tierdesk.ops.desk.sections import BY_NAME
from tierdesk.ops.settings.form import Form
from tierdesk.ops.settings.listing import address_of
from tierdesk.ops.settings.meanwhile import seen
from tierdesk.ops.settings.views import form_page, page
from tierdesk.web.ui.wording import moment
from tierdesk.web.workspace.guard import admin_page, user_of

SECTION: Final = "alarm_sources"
LARGEST_SAMPLE: Final = 512 * 1024
SAMPLES: Final = 10
SHOWN: Final = 5
BEGINNING: Final = 90
"""So many bytes of each sample tell it from the others: what was wrong with them is mostly the same."""

VALUE_LENGTH: Final = 200

IS: Final = "is:"
"""A control of this name and a pointer says what of an alarm stands there."""

NAMES: Final = {
    "summary": "Summary",
    "key": "Key: the same for the same alarm",
    "action": "State: says when it is over",
    "severity": "Severity",
    "resource": "Resource: what is in trouble",
    "time": "Time",
    "class": "Class: the kind of trouble",
    "service": "Service",
    "group": "Group: alarms of one incident",
    "text": "More words",
}


@dataclass(frozen=True)
class Pointing:
    """How far somebody has come. `sample`: the text as it was sent or typed; `mapping`: what was pointed at."""

    sample: str
    mapping: Mapping[str, Any]

    @cached_property
    def root(self) -> Any:
        """The sample, read. Raises NoMapping that says why it cannot be."""
        if not self.sample.strip():
            raise NoMapping("There is no sample yet: paste what the tool sends, or let it send once.")
        try:
            return orjson.loads(self.sample)
        except orjson.JSONDecodeError as error:
            raise NoMapping(f"The sample is not JSON: {error}.") from error

    @property
    def lines(self) -> Iterator[tuple[Value, str]]:
        """The values of the sample with what each is until now, then the places that this sample does not have."""
        bound = {place: field for field in FIELDS for place in self.mapping.get(field, ())}
        for value in values_of(self.root, self.mapping):
            yield value, bound.pop(value.pointer, "")
        for place, field in bound.items():
            yield Value(place, place, 0, "not in this sample"), field

    @property
    def alarms(self) -> Sequence[AlarmEvent]:
        """What the sample makes. Raises NoMapping or MalformedAlarm."""
        return mapped(checked(dict(self.mapping)), self.root)


@admin_page
def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """The sample of a source with what of it is pointed at; POST points further, or goes on to the source's form."""
    source = get_object_or_404(Source.objects.visible_to(user_of(request)).select_related("client"), pk=pk)
    if not named(source.shape).speaks_by_mapping:
        raise Http404
    pointing = _begun(request, source)
    if request.method == "POST":
        try:
            pointing = _further(pointing, request.POST)
            if request.POST.get("do") == "use" and pointing.alarms:
                return _into_the_form(request, source, pointing)
        except (NoMapping, MalformedAlarm) as refusal:
            messages.error(request, str(refusal))
    context = _shown(source, pointing) | {"taken": request.GET.get("sample", "")}
    return page(request, "mapping.html", context, section=SECTION)


def _begun(request: HttpRequest, source: Source) -> Pointing:
    """What is pointed at to begin with: what the source has, at the sample that was asked for, or the newest."""
    if request.method == "POST":
        return Pointing(request.POST.get("sample", "")[:LARGEST_SAMPLE], source.mapping)
    samples = source.refusals.order_by("-received_at")
    asked = request.GET.get("sample", "")
    one = samples.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 18 else samples.first()
    sample = bytes(one.raw).decode("utf-8", "replace") if one else ""
    begun = Pointing(sample, source.mapping)
    return replace(begun, mapping=source.mapping or _guess(begun))


def _guess(pointing: Pointing) -> dict[str, Any]:
    """What the names in the sample suggest; nothing where it cannot be read."""
    try:
        return guessed(pointing.root)
    except NoMapping:
        return {}


def _begins(raw: bytes) -> str:
    """As much of a sample as one line of a list holds."""
    return " ".join(bytes(raw).decode("utf-8", "replace").replace("\0", "").split())


def _further(begun: Pointing, posted: QueryDict) -> Pointing:
    """What the form says, and then the one thing that its button does. Raises NoMapping."""
    found: dict[str, Any] = {"each": posted["each"]} if "each" in posted else {}
    for name, usual in (("clears", CLEARS), ("acknowledges", ACKNOWLEDGES)):
        words = posted.get(name, "").lower().split()
        if words != usual:
            found[name] = words
    for name, field in posted.items():
        if name.startswith(IS) and field in FIELDS:
            found = bind(found, str(field), name.removeprefix(IS))
    do = posted.get("do", "")
    if do.startswith("each:"):
        found = each(found, do.removeprefix("each:"))
    elif do == "whole":
        found = each(found, None)
    return replace(begun, mapping=checked(found))


def _shown(source: Source, pointing: Pointing) -> dict[str, Any]:
    context: dict[str, Any] = {
        "source": source,
        "pointing": pointing,
        "samples": [
            (one.pk, f"{moment(one.received_at)} · {_begins(one.begins)}")
            for one in source.refusals.defer("raw")
            .annotate(begins=Substr("raw", 1, BEGINNING, output_field=BinaryField()))
            .order_by("-received_at")[:SAMPLES]
        ],
        "options": [("", "–"), *NAMES.items()],
        "clears": " ".join(pointing.mapping.get("clears", CLEARS)),
        "acknowledges": " ".join(pointing.mapping.get("acknowledges", ACKNOWLEDGES)),
        "value_length": VALUE_LENGTH,
        "each": pointing.mapping.get("each"),
        "lines": (),
        "alarms": (),
        "entry": ENTRY,
        "form": address_of(SECTION, BY_NAME[SECTION].key_of(source)),
    }
    try:
        context["lines"] = list(pointing.lines)
        alarms = pointing.alarms
    except (NoMapping, MalformedAlarm) as refusal:
        return context | {"why_not": str(refusal)}
    weighed = [alarm.weighed(source.severities) for alarm in alarms[:SHOWN]]
    return context | {"alarms": weighed, "many": len(alarms)}


def _into_the_form(request: HttpRequest, source: Source, pointing: Pointing) -> HttpResponse:
    """The form of the source with the new mapping in it."""
    section = BY_NAME[SECTION]
    form = Form.of(section, source).with_part("mapping", node_of(dict(pointing.mapping)))
    messages.info(request, "The mapping stands in the form now. Review the change to apply it.")
    address = address_of(SECTION, section.key_of(source))
    return form_page(request, form, seen=seen(section, source), action=address)
