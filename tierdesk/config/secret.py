"""The secret key: made once, kept in the data folder with mode 0600, never in a log or in the repository."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make_secret(home: Path) -> str:
    """The secret of this installation. Two processes that start at once agree on the one that was first."""
    path = home / "secret.key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = home / f".secret.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            draft.unlink()
    return path.read_text().strip()
