"""What we refuse to read, decided before anything is understood.

The figures answer measured attacks on mail parsers: 438 KB of encoded words cost more than 6 GB, a thousand
nested parts break recursion. A mail over a limit is never dropped: its raw bytes are kept and a person is
told.
"""

MESSAGE_BYTES = 35 * 1024 * 1024
HEADER_BLOCK_BYTES = 256 * 1024
HEADER_BYTES = 64 * 1024
ENCODED_WORDS = 200
ADDRESSES = 500
PARTS = 1_000
DEPTH = 50

# No limit but a cut, for all text of a mail together: the whole of an endless text is kept as a file.
TEXT_BYTES = 1024 * 1024

# Names are shortened, not refused: 90 Chinese characters are an ordinary file name and 270 bytes.
FILE_NAME_BYTES = 255


class Unreadable(Exception):
    """These bytes could not be understood; `reason` is one English sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
