"""How quantities, moments and names are written on a page.

Every function is pure and is offered to templates as a filter of the same name.
"""

import zlib
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

FACES = 6
"""How many colour pairs `--face-n-*` the tokens offer for avatars."""


def duration(length: timedelta | float) -> str:
    """Write a length of time (a timedelta, or seconds) as `2 h 10 min`, rounded down to what is shown.

    Hours are never gathered into days: working time has no agreed day. Negative lengths carry a minus sign.
    """
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    whole = int(abs(seconds))
    sign = "\N{MINUS SIGN}" if seconds < 0 and whole else ""
    hours, minutes = divmod(whole // 60, 60)
    if whole < 60:
        return sign + gettext("%(count)d s") % {"count": whole}
    if not hours:
        return sign + gettext("%(count)d min") % {"count": minutes}
    if not minutes or hours >= 100:
        return sign + gettext("%(count)d h") % {"count": hours}
    return sign + gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}


def filesize(octets: int) -> str:
    """Write a number of bytes in decimal units, as file managers do: `1.4 MB`."""
    size = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{_short(size)} {unit}"
        size /= 1000
    return f"{_short(size)} TB"


def _short(number: float) -> str:
    places = 1 if number < 9.95 and number != int(number) else 0
    return number_format(round(number, places), places)


def initials(name: str) -> str:
    """Two capitals that stand for a person, a team or an address; `?` when there is no letter at all."""
    words = [letters for word in name.split("@")[0].replace(".", " ").split() if (letters := _letters(word))]
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def _letters(word: str) -> str:
    return "".join(character for character in word if character.isalnum())


def face(name: str) -> int:
    """The colour pair, 1 to `FACES`, in which `name` is always shown."""
    return zlib.crc32(name.casefold().encode()) % FACES + 1


def iso(at: datetime) -> str:
    """The machine-readable instant for `<time datetime>`, in UTC. Raises ValueError for a naive datetime."""
    if timezone.is_naive(at):
        raise ValueError(f"{at!r} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(at: datetime) -> str:
    """The instant in the reader's active time zone, as it reads without scripts: `2026-03-02 09:15`."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def month_name(day: date) -> str:
    """The month of a day: `June 2026`."""
    return date_format(day, "F Y")


def channel(key: str) -> str:
    """A way words come in, within a sentence: `web form`, `API`."""
    return "API" if key == "api" else key.replace("_", " ")
