"""A thank you reopens nothing, and nothing else passes for one (M27)."""

from __future__ import annotations

import time

import pytest

from tierdesk.channels.email.thanks import is_only_thanks


@pytest.mark.parametrize(
    "words",
    [
        "Thanks!",
        "Thank you very much, it works again.",
        "Hi Lena,\n\nthanks for your quick help. All good now!\n\nBest regards\nAnn Albers",
        "Dear support team,\nperfect, thank you!",
        "Vielen Dank, funktioniert jetzt wieder.\n\nMit freundlichen Grüßen\nAnn Albers",
        "Danke 👍",
        "Merci beaucoup pour votre aide !",
        "Problem solved, thx",
        "Bedankt voor uw hulp",
    ],
)
def test_thanks_alone_are_thanks(words: str) -> None:
    assert is_only_thanks(words, name="Ann Albers")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Works now.",
        "Thanks, but it still does not work.",
        "Thank you. Can you do the same for Arne?",
        "Thanks for nothing",
        "Danke, geht aber wieder nicht",
        "Danke, und der Drucker?",
        "Merci, ça ne marche pas",
        "Thanks, it works now and then",
        "Thanks. Error 5 again",
        "Hi Lena, it is broken again, thanks\n",
        "Thanks for looking into this. I will try tomorrow",
        "Hi Lena the printer burns,\nthanks",
        "thanks " * 40,
    ],
)
def test_whatever_says_more_is_an_answer(words: str) -> None:
    assert not is_only_thanks(words, name="Ann Albers")


def test_time_is_linear_whatever_the_words() -> None:
    began = time.process_time()
    is_only_thanks("hi " * 300_000)
    is_only_thanks("hi\n" * 300_000)
    assert time.process_time() - began < 3
