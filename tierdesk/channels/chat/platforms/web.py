"""How we ask a platform: JSON over HTTP, with a time-out, without following redirects."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode

from tierdesk.channels.chat.platforms import Rejected, TooFast, Unreachable

TIMEOUT_S = 8
MOST_READ = 1024 * 1024
SLOW_DOWN_S = 30.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token must not be carried to wherever an answer points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def ask(
    method: str, url: str, token: str = "", words: Mapping[str, Any] | None = None, *, as_form: bool = False
) -> dict[str, Any]:
    """The platform's JSON answer. Raises TooFast, Rejected (4xx) and Unreachable (anything else)."""
    if not url.startswith(("https://", "http://")):
        raise Rejected(f"“{url[:60]}” is no address of a platform")
    kind = "application/x-www-form-urlencoded" if as_form else "application/json; charset=utf-8"
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None if words is None else (urlencode(words) if as_form else json.dumps(words)).encode()
    request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 - checked above
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            said = json.loads(answer.read(MOST_READ) or b"{}")
    except urllib.error.HTTPError as error:
        _refused(error)
    except (OSError, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    return said if isinstance(said, dict) else {"answer": said}


def _refused(error: urllib.error.HTTPError) -> NoReturn:
    with error:
        if error.code == 429:
            wait = error.headers.get("Retry-After", "")
            raise TooFast(float(wait) if wait.isdecimal() else SLOW_DOWN_S) from error
        said = error.read(300).decode(errors="replace")
        if 400 <= error.code < 500 and error.code not in (401, 403, 408):
            raise Rejected(f"{error.code} {said}") from error
        raise Unreachable(f"{error.code} {said}") from error
