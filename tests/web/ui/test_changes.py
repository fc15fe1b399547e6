"""What changed between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from tierdesk.web.ui.changes import line_changes

texts = st.lists(st.sampled_from(["ask", "restart", "wait", "escalate"])).map("\n".join)


def test_a_changed_line_shows_what_went_before_what_came() -> None:
    assert line_changes("ask\nrestart", "ask\nwait\nescalate") == [
        ("kept", "ask"), ("removed", "restart"), ("added", "wait"), ("added", "escalate"),
    ]  # fmt: skip


@given(texts, texts)
def test_both_texts_can_be_read_back_out_of_their_changes(before: str, after: str) -> None:
    lines = line_changes(before, after)
    assert [text for fate, text in lines if fate != "added"] == before.splitlines()
    assert [text for fate, text in lines if fate != "removed"] == after.splitlines()
