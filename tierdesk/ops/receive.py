"""`tierdesk receive-mail ADDRESS`: takes one mail from standard input, for mail servers that pipe."""

from __future__ import annotations

import argparse
import os
import sys

from tierdesk.channels.email.limits import MESSAGE_BYTES
from tierdesk.channels.email.listener import EX_DATAERR, keep_from_pipe

EX_UNAVAILABLE = 69


def run(options: argparse.Namespace) -> int:
    """Store the mail: 0 stored, 75 try again later, 69 too large to take (sysexits.h).

    Exim, and Postfix where it delivers to an alias, name the envelope's sender in SENDER; without it the mail's own
    Return-Path counts, which Postfix's pipe(8) writes (flag R).
    """
    status = keep_from_pipe(sys.stdin.buffer, options.recipients, os.environ.get("SENDER"))
    if status == EX_DATAERR:
        print(f"The mail is larger than the {MESSAGE_BYTES // 1024**2} MB that are taken.", file=sys.stderr)
        return EX_UNAVAILABLE
    return status
