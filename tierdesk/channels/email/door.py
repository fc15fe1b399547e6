"""How the text of a mail comes in by SMTP and LMTP: within limits of memory, whatever the other side sends.

The library collects what comes without an end of line, however much that is, and reads what is too large to its end
before it says so. Here both are refused early, and all unfinished mails together have one measure of memory.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, syntax

from tierdesk.channels.email.limits import MESSAGE_BYTES

HELD_BYTES = 8 * MESSAGE_BYTES
"""All mails together that are on their way in. Who comes beyond that is asked to come again."""

PATIENCE_BYTES = 2 * MESSAGE_BYTES
"""How much of a mail is read that is too large, so that its sender reads why. Beyond it the line is cut."""

PIECE_BYTES = 64 * 1024
"""The longest line that is read in one piece. RFC 5321 §4.5.3.1.6 demands 1000; a longer one comes in several."""

PROGRESS_BYTES = 1024 * 1024
"""Who has sent so much more gets the time of a command anew: a slow line is no idle one."""

TOO_LARGE = f"552 5.3.4 Larger than the {MESSAGE_BYTES // 2**20} MB that are taken"
BUSY = "421 4.3.2 Too much mail at once, try again later"


class _Overfull(Exception):
    """Nothing more is read on this line, for the reason it carries."""


class _Door(SMTP):
    line_length_limit = PIECE_BYTES
    held: ClassVar[int] = 0

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """RFC 5321 §4.1.1.4."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Name a recipient first")
        elif arg:
            await self.push("501 5.5.4 Syntax: DATA")
        else:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._take()

    async def _take(self) -> None:
        assert self.envelope is not None
        text = _Text()
        try:
            await self._read(text)
            if text.is_too_large:
                said = self.to_each(TOO_LARGE)
            else:
                self.envelope.content = self.envelope.original_content = bytes(text.kept)
                said = await self._call_handler_hook("DATA")
        except _Overfull as why:
            await self._hang_up(str(why))
            return
        finally:
            text.let_go()
        self.envelope = self._create_envelope()
        await self.push(said)

    def to_each(self, said: str) -> str:
        """What is answered when all recipients are answered alike."""
        return said

    async def _read(self, text: _Text) -> None:
        """Up to a dot between two whole line ends (§4.1.1.4, §4.5.2)."""
        begins, progress = True, PROGRESS_BYTES
        while True:
            try:
                piece, ends = await self._reader.readuntil(b"\r\n"), True
            except asyncio.LimitOverrunError as longer:
                piece, ends = await self._reader.read(longer.consumed), False
            if begins and piece.startswith(b"."):
                if piece == b".\r\n":
                    return
                piece = piece[1:]
            text.add(piece)
            begins = ends
            if text.came > progress:
                self._reset_timeout()
                progress = text.came + PROGRESS_BYTES

    async def _hang_up(self, why: str) -> None:
        await self.push(why)
        assert self.transport is not None and self._handler_coroutine is not None
        self._handler_coroutine.cancel()
        self.transport.close()


class _Text:
    """The text of one mail as far as it has come. Of one that is too large nothing is kept."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.came = 0

    @property
    def is_too_large(self) -> bool:
        return self.came > MESSAGE_BYTES

    def add(self, piece: bytes) -> None:
        """Raises _Overfull when no more of it is wanted."""
        self.came += len(piece)
        if self.is_too_large:
            self.let_go()
            if self.came > MESSAGE_BYTES + PATIENCE_BYTES:
                raise _Overfull(TOO_LARGE)
            return
        if _Door.held + len(piece) > HELD_BYTES:
            raise _Overfull(BUSY)
        _Door.held += len(piece)
        self.kept += piece

    def let_go(self) -> None:
        _Door.held -= len(self.kept)
        self.kept = bytearray()


class SMTPDoor(_Door):
    """One SMTP session (RFC 5321)."""


class LMTPDoor(_Door, LMTP):
    """One LMTP session (RFC 2033), as mail servers deliver to what keeps mail: one answer for each recipient."""

    def to_each(self, said: str) -> str:
        assert self.envelope is not None
        return "\r\n".join([said] * len(self.envelope.rcpt_tos))


type Door = type[SMTPDoor | LMTPDoor]
