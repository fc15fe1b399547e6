"""A sealed secret can be read again by this desk, and by nobody who has only the database."""

from __future__ import annotations

from typing import Any

from tierdesk.core.sealing import seal, unseal


def test_a_secret_comes_back() -> None:
    assert unseal(seal("hush")) == "hush"
    assert "hush" not in seal("hush")
    assert seal("") == unseal("") == ""


def test_with_another_desk_s_key_nothing_fits(settings: Any) -> None:
    sealed = seal("hush")
    settings.SECRET_KEY = "another " + "x" * 40
    assert unseal(sealed) not in ("hush", "")
    assert unseal(sealed) != unseal(sealed), "nobody can know it, so nothing passes for it"
