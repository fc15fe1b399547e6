"""How an alarm source is pointed here: whoever makes one sets up its tool, also without being an agent."""

from __future__ import annotations

from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from tierdesk.channels.alarms import guide
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.shapes import named
from tierdesk.ops.desk.sections import BY_NAME
from tierdesk.ops.settings.listing import address_of
from tierdesk.ops.settings.views import page
from tierdesk.web.workspace.guard import admin_page
from tierdesk.web.workspace.views.channels import handed_out

SECTION = "alarm_sources"


@admin_page
def pointed_here(request: HttpRequest, pk: int) -> HttpResponse:
    """What to paste where the monitoring runs."""
    source = get_object_or_404(Source.objects.select_related("client"), pk=pk)
    files = unquote(reverse("settings:sender-file", args=["{}"]))
    context = {
        "source": source,
        "form": address_of(SECTION, BY_NAME[SECTION].key_of(source)),
        "shape": named(source.shape),
        "guide": guide.flowing(guide.guide(source.shape, desk=settings.BASE_URL, senders=files)),
    }
    return page(request, "pointed_here.html", context, section=SECTION)


@admin_page
def sender_file(request: HttpRequest, name: str) -> HttpResponse:
    return handed_out(name)
