"""A form that nobody touched says what the thing says: for every thing of a whole desk, through the page and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict

from tests.ops.settings.conftest import Sheet, Visitor
from tierdesk.directory.staff.models import User
from tierdesk.ops import apply
from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.schema import Section, Values
from tierdesk.ops.desk.sections import SECTIONS
from tierdesk.ops.desk.shapes import TOKEN
from tierdesk.ops.settings.form import Form
from tierdesk.ops.settings.listing import address_of

BESIDE = """\
chat_bridges:
  - key: halden-slack
    client: HALDEN
    name: Slack
    kind: slack
    rooms: [C01]
    secret: signs-what-it-says
    token: xoxb-shown-to-slack
forms:
  - {client: BRIGHT, key: till, name: Till, fields: [{key: shop, label: Shop, required: false}]}
"""
"""What the demo does without."""
DEMO = Path(apply.__file__).parent / "demo" / "desk.yaml"


@pytest.mark.django_db
def test_a_form_that_nobody_touched_changes_nothing(tmp_path: Path) -> None:
    apply_desk(DEMO)
    beside = tmp_path / "beside.yaml"
    beside.write_text(BESIDE)
    apply_desk(beside)
    visitor = Visitor()
    visitor.force_login(User.objects.get(email="admin@desk.example"))

    for section in SECTIONS:
        rows = list(section.rows())
        assert rows
        for row in rows:
            said, before = sent_back(visitor, section, row), spoken(section, section.values_of(row))
            assert spoken(section, said) == before, f"{section.name} {section.key_of(row)}"


def sent_back(visitor: Visitor, section: Section, row: Any) -> Values:
    """What the thing says after its form was opened and sent as it was."""
    address = address_of(section.name, section.key_of(row))
    sheet = Sheet(visitor, address, visitor.get(address).content.decode())
    posted = QueryDict(mutable=True)
    for name, values in sheet.fields.items():
        posted.setlist(name, values)
    item = Form.of(section, row).filled_in(posted).item
    assert item is not None
    return item.over(section.values_of(row))


def spoken(section: Section, values: Values) -> Values:
    """The values without those that a form asks for anew each time: from when on, and which token."""
    return {
        each.name: values[each.name] for each in section.fields if not each.silent and each.shape is not TOKEN
    }
