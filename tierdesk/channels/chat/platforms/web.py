"""How we ask a platform: JSON over HTTP, by the desk's one way to web servers that somebody named (core/fetch.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode

from tierdesk.channels.chat.platforms import Rejected, TooFast, Unreachable
from tierdesk.core import fetch
from tierdesk.core.fetch import Answer, NoAnswer
from tierdesk.core.reach import OffLimits

SLOW_DOWN_S = 30.0


def ask(
    method: str, url: str, token: str = "", words: Mapping[str, Any] | None = None, *, as_form: bool = False
) -> dict[str, Any]:
    """The platform's JSON answer. Raises TooFast, Rejected (4xx) and Unreachable (anything else)."""
    if not url.startswith(("https://", "http://")):
        raise Rejected(f"“{url[:60]}” is no address of a platform")
    kind = "application/x-www-form-urlencoded" if as_form else "application/json; charset=utf-8"
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None if words is None else (urlencode(words) if as_form else json.dumps(words)).encode()
    try:
        answer = fetch.ask(method, url, body=body, headers=headers)
        if not 200 <= answer.status < 300:
            _refused(answer)
        said = json.loads(answer.body or b"{}")
    except (OffLimits, NoAnswer) as error:
        raise Unreachable(str(error)) from error
    except json.JSONDecodeError as error:
        raise Unreachable("the platform answers with something that is no JSON") from error
    return said if isinstance(said, dict) else {"answer": said}


def _refused(answer: Answer) -> NoReturn:
    if answer.status == 429:
        wait = answer.headers.get("retry-after", "")
        raise TooFast(float(wait) if wait.isdecimal() else SLOW_DOWN_S)
    said = f"{answer.status} {answer.body[:300].decode(errors='replace')}".strip()
    if 400 <= answer.status < 500 and answer.status not in (401, 403, 408):
        raise Rejected(said)
    raise Unreachable(said)
