"""Two administrators at once: the second is told that the thing changed meanwhile, and overwrites nothing unseen."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from tests.ops.settings.conftest import Opens
from tierdesk.directory.clients.models import Client

ACME = "clients/ACME"


def stored() -> Client:
    return Client.objects.get(key="ACME")


@pytest.mark.parametrize("do", ["review", "apply"])
def test_the_second_sees_both(cast: Cast, opens: Opens, do: str) -> None:
    mine, theirs = opens(ACME), opens(ACME)
    theirs.fill(name="Acme of theirs").send("apply")

    answer = mine.fill(name="Acme of mine").send(do)

    assert answer.status == 409
    assert "Somebody else changed this meanwhile" in answer.words
    assert "Name Acme of theirs Acme of mine" in answer.words
    assert answer.sheet["name"] == "Acme of mine", "nothing that was typed is lost"
    assert stored().name == "Acme of theirs", "nothing that was done is lost"


def test_who_has_seen_both_may_go_on(cast: Cast, opens: Opens) -> None:
    mine, theirs = opens(ACME), opens(ACME)
    theirs.fill(name="Acme of theirs").send("apply")

    answer = mine.fill(name="Acme of mine").send().sheet.send()

    assert "Name was Acme of theirs → becomes Acme of mine" in answer.words
    assert answer.sheet.send("apply").status == 302
    assert stored().name == "Acme of mine"


def test_what_only_the_other_changed_is_taken_over(cast: Cast, opens: Opens) -> None:
    mine, theirs = opens(ACME), opens(ACME)
    theirs.fill(timezone="Europe/Vienna", domains__1="acme.test").send("apply")

    answer = mine.fill(name="Acme of mine").send()

    assert answer.status == 409
    assert "Time zone Europe/Vienna You left it as it was; the form has the new one." in answer.words
    assert answer.sheet.send("apply").status == 302
    assert (stored().name, stored().timezone) == ("Acme of mine", "Europe/Vienna")
    assert {domain.name for domain in stored().domains.all()} == {"acme.example", "acme.test"}


def test_a_change_between_the_review_and_the_act_is_one_too(cast: Cast, opens: Opens) -> None:
    reviewed = opens(ACME).fill(name="Acme of mine").send()
    opens(ACME).fill(name="Acme of theirs").send("apply")

    assert reviewed.sheet.send("apply").status == 409
    assert stored().name == "Acme of theirs"


def test_who_did_the_same_has_nothing_to_argue_about(cast: Cast, opens: Opens) -> None:
    mine, theirs = opens(ACME), opens(ACME)
    theirs.fill(name="Acme AG").send("apply")

    assert mine.fill(name="Acme AG", language="de").send("apply").status == 302
    assert (stored().name, stored().language) == ("Acme AG", "de")


def test_words_that_cannot_be_read_stay_the_writer_s_own(cast: Cast, opens: Opens) -> None:
    mine, theirs = opens(ACME), opens(ACME)
    theirs.fill(timezone="Europe/Vienna").send("apply")

    answer = mine.fill(timezone="Europe/Bonn").send()

    assert answer.status == 409
    assert "Time zone Europe/Vienna cannot be read" in answer.words
    assert answer.sheet["timezone"] == "Europe/Bonn"


def test_another_thing_that_changed_is_no_matter(cast: Cast, opens: Opens) -> None:
    mine = opens(ACME)
    opens("clients/BOR").fill(name="Borealis of theirs").send("apply")

    assert mine.fill(name="Acme of mine").send("apply").status == 302
