"""A mapping is made by pointing at what the tool sent, and applied through the form of its source."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.ops.settings.conftest import Opens
from tierdesk.channels.alarms.again import try_again
from tierdesk.channels.alarms.models import Alarm, Refusal, Source

SENT = {
    "check": {"name": "disk", "output": "96 % used"},
    "host": "db1",
    "state": "CRITICAL",
    "list": [{"id": 1}, {"id": 2}],
}


@pytest.fixture
def source(cast: Cast, at: datetime) -> Source:
    one = Source(client=cast.acme, key="checks", name="Checks", shape="plain")
    one.take_new_token()
    one.save()
    told = {"client": cast.acme, "received_at": at, "reason": "Event 1 has no key."}
    Refusal.objects.create(source=one, raw=orjson.dumps(SENT), **told)
    return one


def test_the_newest_thing_it_sent_is_there_to_be_pointed_at(opens: Opens, source: Source) -> None:
    sheet = opens(f"mapping/{source.pk}")
    assert orjson.loads(sheet["sample"]) == SENT
    assert {"is:/check/name", "is:/check/output", "is:/host", "is:/state"} <= sheet.fields.keys()


def test_samples_are_told_from_each_other_by_how_they_begin_and_the_one_that_was_taken_stays_chosen(
    admin: Browser, cast: Cast, source: Source, at: datetime
) -> None:
    told = {"client": cast.acme, "received_at": at, "reason": "Event 1 has no key."}
    other = Refusal.objects.create(
        source=source, raw=b'{"ups":\n  "on battery", "\x00": "\xff' + b"9" * 500, **told
    )
    page = admin.get(f"/settings/mapping/{source.pk}/?sample={other.pk}").content.decode()
    assert f'<option value="{other.pk}" selected>' in page
    assert (
        "{&#34;ups&#34;: &#34;on battery&#34;" in page
        and "{&#34;check&#34;:{&#34;name&#34;:&#34;disk&#34;" in page
    )


def test_what_its_names_suggest_is_pointed_at_to_begin_with(opens: Opens, source: Source) -> None:
    sheet = opens(f"mapping/{source.pk}")
    assert (sheet["is:/host"], sheet["is:/state"], sheet["is:/check/name"]) == ("resource", "action", "")


def test_what_is_pointed_at_shows_the_alarm_it_makes(opens: Opens, source: Source) -> None:
    sheet = opens(f"mapping/{source.pk}")
    sheet.fields |= {"is:/check/name": ["summary"], "is:/check/output": ["summary"], "is:/host": ["resource"]}
    shown = sheet.send("look")
    assert "1 alarm of this sample." in shown.words and "disk 96 % used" in shown.words
    assert shown.sheet["is:/check/output"] == "summary"
    assert not Source.objects.get(pk=source.pk).mapping


def test_it_is_used_in_the_form_and_reads_what_was_refused(
    opens: Opens, source: Source, cast: Cast, at: datetime
) -> None:
    sheet = opens(f"mapping/{source.pk}")
    sheet.fields |= {
        "is:/check/name": ["summary"],
        "is:/host": ["resource"],
        "is:/state": ["action"],
        "clears": ["ok fine"],
    }
    form = sheet.send("use")
    assert "Review the change to apply it" in form.body
    form.sheet.address = "/settings/alarm_sources/ACME~checks/"
    review = form.sheet.send("review")
    assert "/check/name" in review.words
    review.sheet.send("apply")
    source.refresh_from_db()
    wanted = {
        "summary": ["/check/name", "/check/output"],
        "resource": ["/host"],
        "action": ["/state"],
        "clears": ["ok", "fine"],
    }
    assert source.mapping == wanted
    assert try_again(Refusal.objects.get(), by=cast.lena, at=at) == 1
    [alarm] = Alarm.objects.all()
    assert (alarm.summary, alarm.resource) == ("disk 96 % used", "db1")


def test_an_alarm_for_each_entry_of_a_list_and_back(opens: Opens, source: Source) -> None:
    sheet = opens(f"mapping/{source.pk}")
    sheet.fields |= {"is:/list/1/id": ["summary"], "is:/host": ["resource"]}
    fanned = sheet.send("each:/list")
    assert fanned.sheet["is:/list/*/id"] == "summary" and "2 alarms of this sample." in fanned.words
    whole = fanned.sheet.send("whole")
    assert whole.sheet["is:/list/0/id"] == "summary" and "1 alarm of this sample." in whole.words


def test_places_that_this_sample_does_not_have_are_not_forgotten(opens: Opens, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(mapping={"summary": ["/elsewhere", "/host"]})
    shown = opens(f"mapping/{source.pk}").send("look")
    assert shown.sheet["is:/elsewhere"] == "summary" and "not in this sample" in shown.words


@pytest.mark.parametrize(
    ("sample", "says"),
    [("", "There is no sample yet"), ('{"half', "The sample is not JSON"), ("{}", "nothing stands there")],
)
def test_a_sample_that_makes_nothing_says_why_and_is_kept(
    opens: Opens, source: Source, sample: str, says: str
) -> None:
    refused = opens(f"mapping/{source.pk}").fill(sample=sample).send("use")
    assert says in refused.words and refused.sheet["sample"] == sample


def test_a_sample_is_text_that_nothing_interprets(opens: Opens, source: Source) -> None:
    evil = orjson.dumps({"<script>alert(1)</script>": "</textarea><script>alert(2)</script>"}).decode()
    shown = opens(f"mapping/{source.pk}").fill(sample=evil).send("look")
    assert "<script>alert" not in shown.body


def test_the_form_of_a_source_leads_there(admin: Browser, source: Source) -> None:
    """An administrator who is no agent has no other way to it."""
    form = "/settings/alarm_sources/ACME~checks/"
    assert f'href="/settings/mapping/{source.pk}/"' in admin.get(form).content.decode()
    Source.objects.filter(pk=source.pk).update(shape="zabbix")
    assert "/settings/mapping/" not in admin.get(form).content.decode()


def test_tools_that_are_known_need_none(admin: Browser, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(shape="zabbix")
    assert admin.get(f"/settings/mapping/{source.pk}/").status_code == 404


def test_only_administrators_point(cast: Cast, client: Browser, source: Source) -> None:
    page = f"/settings/mapping/{source.pk}/"
    assert client.get(page).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.lena.user)
    assert client.get(page).status_code in (302, 403, 404)
    assert client.post(page, {"do": "use"}).status_code in (302, 403, 404)
