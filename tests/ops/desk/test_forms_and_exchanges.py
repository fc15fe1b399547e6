"""Forms and exchanges in the desk's file: made, exported as they were, refused in sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierdesk.channels.phone.models import Exchange, digest
from tierdesk.channels.web_form.models import Form
from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused

pytestmark = pytest.mark.django_db

DESK = """\
teams:
  - {key: desk, name: Desk, tier: L1, every_client: true}
clients:
  - {key: ACME, name: Acme, timezone: Europe/Berlin}
agents:
  - {email: lena@desk.example, name: Lena Lang, teams: [desk]}
exchanges:
  - key: house
    name: House exchange
    team: desk
    extensions: {"42": lena@desk.example}
    token: a-token-of-sixteen-letters
  - {key: pbx, name: Asterisk, kind: asterisk}
forms:
  - client: ACME
    key: starter
    name: A new colleague
    access: public
    subject: "New colleague: {name}"
    next_steps: We call you.
    fields:
      - {key: name, label: "Who starts?"}
      - {key: device, label: "Which device?", kind: choice, choices: [Laptop, Telephone]}
      - {key: screens, label: "How many screens?", kind: number, when: {device: Laptop}}
    advice:
      - {words: [laptop], say: A laptop takes three days.}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.yaml"
    path.write_text(DESK)
    return path


def test_they_are_made_as_the_file_says(desk: Path) -> None:
    apply_desk(desk)
    house = Exchange.objects.get(key="house")
    assert (house.kind, house.token_sha256) == ("cti", digest("a-token-of-sixteen-letters"))
    assert [(one.number, one.agent.name) for one in house.extensions.all()] == [("42", "Lena Lang")]
    form = Form.objects.get()
    assert (form.client.key, form.access, len(form.questions())) == ("ACME", "public", 3)  # type: ignore[union-attr]
    assert form.questions()[2].when == {"device": ("Laptop",)}


def test_what_is_exported_applies_to_nothing(desk: Path) -> None:
    apply_desk(desk)
    written = export_desk()
    assert "a-token-of-sixteen" not in written and "token: kept" in written
    desk.write_text(written)
    assert apply_desk(desk).changes == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("    token: a-token-of-sixteen-letters\n", "", "An item of exchanges needs its “token”"),
        ("kind: asterisk}", "kind: asterisk, token: a-token-of-another-one}", "take the token away"),
        ('"42": lena@', '"42": nobody@', "There is no “nobody@desk.example” among the agents"),
        ("kind: number", "kind: figure", "Field “screens”: “figure” is no kind"),
        ("{device: Laptop}", "{gadget: Laptop}", "which is no field above it"),
        ("  - client: ACME\n    key: starter", "  - key: starter", "A public form belongs to one client"),
        ("access: public", "access: open", "“open” is not one of"),
        ("say: A laptop", "tell: A laptop", "Write advice as a list"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(desk: Path, old: str, new: str, finding: str) -> None:
    assert old in DESK
    desk.write_text(DESK.replace(old, new))
    with pytest.raises(DeskRefused) as refused:
        apply_desk(desk)
    assert finding in str(refused.value)
    assert not Form.objects.exists() and not Exchange.objects.exists()
