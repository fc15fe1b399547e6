"""The desk's file in the browser: the difference first, nothing half-done, nothing of somebody else's overwritten."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.ops.settings.conftest import Opens
from tierdesk.directory.clients.models import Client
from tierdesk.directory.staff.models import Team
from tierdesk.ops.desk.export import export_desk


def test_it_holds_what_export_writes(cast: Cast, admin: Browser, opens: Opens) -> None:
    assert opens("desk")["text"] == export_desk()
    answer = admin.get("/settings/desk/desk.yaml")
    assert answer.content.decode() == export_desk()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="desk.yaml"'


def test_the_difference_is_shown_before_anything_changes(cast: Cast, opens: Opens) -> None:
    sheet = opens("desk")
    sheet.fill(text=sheet["text"].replace("name: Service Desk", "name: Front Desk"))

    shown = sheet.send()

    assert (
        "This will change changed Front Desk team Name was Service Desk → becomes Front Desk" in shown.words
    )
    assert Team.objects.get(key="desk").name == "Service Desk"
    assert shown.sheet.send("apply").status == 302
    assert Team.objects.get(key="desk").name == "Front Desk"


def test_what_was_typed_after_the_difference_is_shown_first_too(cast: Cast, opens: Opens) -> None:
    sheet = opens("desk")
    shown = sheet.fill(text=sheet["text"].replace("name: Service Desk", "name: Front Desk")).send().sheet

    again = shown.fill(text=shown["text"].replace("name: Front Desk", "name: Help Desk")).send("apply")

    assert "Name was Service Desk → becomes Help Desk" in again.words
    assert Team.objects.get(key="desk").name == "Service Desk"
    assert again.sheet.send("apply").status == 302
    assert Team.objects.get(key="desk").name == "Help Desk"


def test_a_text_that_is_too_long_is_refused_and_not_cut(
    monkeypatch: pytest.MonkeyPatch, opens: Opens
) -> None:
    monkeypatch.setattr("tierdesk.ops.settings.desk_file.LARGEST", 20)
    answer = opens("desk").fill(text="teams: []\n# and much more").send()

    assert answer.status == 422
    assert "The text is longer than 20 characters" in answer.words
    assert answer.sheet["text"] == "teams: []\n# and much more"


def test_nonsense_is_refused_with_its_line_and_stays_in_the_editor(opens: Opens) -> None:
    answer = opens("desk").fill(text="teams:\n  - {key: x, nonsense: 1}\n").send("apply")

    assert answer.status == 422
    assert "Line 2 : teams have no “nonsense”" in answer.words
    assert answer.sheet["text"] == "teams:\n  - {key: x, nonsense: 1}\n"
    assert not Team.objects.filter(key="x").exists()


@pytest.mark.parametrize("do", ["review", "apply"])
def test_whoever_is_second_is_told_and_sees_both(cast: Cast, opens: Opens, do: str) -> None:
    mine = opens("desk")
    mine.fill(text=mine["text"].replace("name: Acme GmbH", "name: Acme of mine"))
    Client.objects.filter(key="ACME").update(name="Acme of theirs")

    answer = mine.send(do)

    assert answer.status == 409
    assert "Somebody else changed the desk meanwhile" in answer.words
    assert "name: Acme of theirs" in answer.words and "name: Acme of mine" in answer.words
    assert Client.objects.get(key="ACME").name == "Acme of theirs"
    assert answer.sheet.send().sheet.send("apply").status == 302, "who has seen both may go on"
    assert Client.objects.get(key="ACME").name == "Acme of mine"


def test_a_file_beside_the_server_is_not_read(opens: Opens) -> None:
    answer = opens("desk").fill(text="books:\n  - {file: /etc/hostname}\n").send()

    assert answer.status == 422
    assert "Only a file can name other files" in answer.words
