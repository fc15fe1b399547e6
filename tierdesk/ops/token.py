"""`tierdesk token EMAIL`: a key to the API for a program, shown once."""

from __future__ import annotations

import argparse
import sys

from tierdesk.core import clock
from tierdesk.directory.staff.models import User
from tierdesk.web.api.models import Token, UnableToIssue


def run(options: argparse.Namespace) -> int:
    """Make a token for the account `options.email`, called `options.name`; print its secret alone on a line."""
    user = User.objects.filter(email=options.email.strip().lower()).first()
    if user is None:
        print(f"There is no account {options.email}.", file=sys.stderr)
        return 1
    try:
        secret = Token.issue(user, options.name, clock.now())
    except UnableToIssue as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(secret)
    print("Keep it now: it is not shown again.", file=sys.stderr)
    return 0
