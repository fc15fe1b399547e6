"""What a contact may send: the request, and the files that come along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tierdesk.channels.registry import File
from tierdesk.directory.services.models import Service

MOST_FILES = 10
MOST_OCTETS = 10 * 1024 * 1024
MOST_OCTETS_TOGETHER = 25 * 1024 * 1024
MOST_LETTERS = 50_000

URGENCIES = [
    {"value": "1", "label": _("I cannot work"), "hint": _("It stands still, and there is no way around it.")},
    {"value": "2", "label": _("It holds me up"), "hint": _("I can work, but slower or with a detour.")},
    {"value": "3", "label": _("It can wait"), "hint": _("A question, a wish, or a small annoyance.")},
]


class SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files up to the limits; cleans to a list of `File`. An empty file is not worth a complaint."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        sent: Sequence[UploadedFile[Any]] = [one for one in data or [] if one]
        check_files([(one.name or "", one.size or 0) for one in sent])
        return [File(one.name or "file", one.content_type or "", one.read()) for one in sent]


def check_files(files: Sequence[tuple[str, int]]) -> None:
    """Raise ValidationError with every reason why these (name, octets) cannot be sent together."""
    wrong = [
        gettext("“%(name)s” is larger than 10 MB. Leave it out, or make it smaller.") % {"name": name}
        for name, octets in files
        if octets > MOST_OCTETS
    ]
    if len(files) > MOST_FILES:
        wrong.append(
            gettext("These are %(count)d files; at most 10 can be sent at once.") % {"count": len(files)}
        )
    if not wrong and sum(octets for _name, octets in files) > MOST_OCTETS_TOGETHER:
        wrong.append(
            gettext("Together the files are larger than 25 MB. Send some of them with your next message.")
        )
    if wrong:
        raise ValidationError(wrong)


class RequestForm(forms.Form):
    """A new request. `key` is the form's own: sent twice, it is one ticket. `related`: the closed one it follows."""

    key = forms.UUIDField(error_messages={"required": _("Please send the form once more.")})
    subject = forms.CharField(
        max_length=300, error_messages={"required": _("Say in a few words what it is about.")}
    )
    text = forms.CharField(max_length=MOST_LETTERS, error_messages={"required": _("Tell us what happened.")})
    service = forms.ModelChoiceField(Service.objects.none(), required=False)
    urgency = forms.TypedChoiceField(
        choices=[(one["value"], one["label"]) for one in URGENCIES],
        coerce=int,
        error_messages={"required": _("Choose how urgent it is for you.")},
    )
    attachments = FilesField(required=False)
    related = forms.IntegerField(required=False)

    def __init__(self, *args: Any, client_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = self.fields["service"]
        assert isinstance(services, forms.ModelChoiceField)
        services.queryset = Service.objects.of_client(client_id)


class WordsForm(forms.Form):
    """An answer on a ticket. `seen`: the newest message that the writer had before them."""

    text = forms.CharField(max_length=MOST_LETTERS, error_messages={"required": _("Write something first.")})
    seen = forms.IntegerField(required=False)
