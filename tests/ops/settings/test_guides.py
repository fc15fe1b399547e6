"""Whoever makes an alarm source is told how its tool is pointed here, also without being an agent."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.channels.alarms.models import Source


@pytest.fixture
def source(cast: Cast) -> Source:
    source = Source(client=cast.acme, key="zabbix", name="Zabbix", shape="zabbix")
    source.take_new_token()
    source.save()
    return source


def test_the_form_of_a_source_leads_to_what_is_pasted_into_its_tool(admin: Browser, source: Source) -> None:
    form = admin.get("/settings/alarm_sources/ACME~zabbix/").content.decode()
    page = f"/settings/pointed-here/{source.pk}/"
    assert f'href="{page}"' in form
    told = admin.get(page).content.decode()
    assert "/in/TOKEN" in told
    [file] = re.findall(r'href="(/settings/senders/[^"]+)"', told)
    handed = admin.get(file)
    assert b"zabbix_export" in handed.content
    assert handed.headers["Content-Disposition"] == 'attachment; filename="zabbix_media_type.yaml"'


def test_no_other_file_is_handed_out(admin: Browser, source: Source) -> None:
    assert admin.get("/settings/senders/__init__.py/").status_code == 404
    assert admin.get("/settings/senders/..%2Fguide.py/").status_code == 404


@pytest.mark.parametrize("page", ["pointed-here/{}", "senders/zabbix_media_type.yaml"])
def test_it_is_for_administrators(cast: Cast, client: Browser, source: Source, page: str) -> None:
    page = f"/settings/{page.format(source.pk)}/"
    assert client.get(page).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.get(page).headers["Location"].startswith("/portal/")
    client.force_login(cast.lena.user)
    assert client.get(page).status_code == 404
