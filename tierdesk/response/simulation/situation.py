"""What somebody asks: whose ticket, how bad, by which channel, and at which instant. Read from words.

A local time that a zone skips is read with the UTC offset before the gap, one that occurs twice is the first
occurrence, as working hours and shifts are (calendars/hours.py); both are said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import CHANNELS, ContractVersion, version_in_force
from tierdesk.directory.services.models import Category, Service, TicketType
from tierdesk.tickets.priority import DEFAULT_MATRIX, prioritise

GRADES = (1, 2, 3)
PRIORITIES = (1, 2, 3, 4, 5)
YEARS = range(2000, 2101)


class NotASituation(ValueError):
    """Nobody can say what happens then: `wrong` has a sentence for each field that is to be mended."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(" ".join(wrong.values()))
        self.wrong = dict(wrong)


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a form or a command line. An empty `zone` is the client's."""

    client: str = ""
    at: str = ""
    zone: str = ""
    priority: str = "1"
    service: str = ""
    category: str = ""
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class Situation:
    """A ticket that could come in. `notes`: how its local time was read."""

    client: Client
    at: datetime
    zone: ZoneInfo
    channel: str
    impact: int
    urgency: int
    service: Service | None = None
    category: Category | None = None
    notes: Sequence[str] = ()


def read(asked: Asked, *, clients: QuerySet[Client]) -> Situation:
    """The situation that is meant, about one of these clients. Raises NotASituation."""
    wrong: dict[str, str] = {}
    client = clients.filter(key__iexact=asked.client.strip()).first()
    if client is None:
        keys = ", ".join(clients.order_by("key").values_list("key", flat=True)[:12])
        raise NotASituation({"client": _("Say whose ticket it is, by the client’s key: %s.") % keys})
    zone, at, notes = _when(asked, client, wrong)
    service = _service(asked.service.strip(), client, wrong)
    category = _category(asked.category.strip(), wrong)
    if asked.channel not in CHANNELS:
        wrong["channel"] = _("Choose a channel: %s.") % ", ".join(CHANNELS)
    if asked.priority not in {str(number) for number in PRIORITIES}:
        wrong["priority"] = _("A priority is a number from 1 to 5.")
    if wrong:
        raise NotASituation(wrong)
    type = category.type if category and category.type else TicketType.INCIDENT
    version = version_in_force(client.pk, at.date(), type)
    impact, urgency = _grades(int(asked.priority), version, service)
    return Situation(client, at, zone, asked.channel, impact, urgency, service, category, notes)


def moment(text: str, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    """The instant that is meant by a local time, or by one with an offset, and how it was read. Raises ValueError."""
    told = datetime.fromisoformat(text.strip())
    if told.year not in YEARS:
        raise ValueError(text)
    if told.tzinfo is not None:
        return told.astimezone(UTC), []
    first, second = (told.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    at = first.astimezone(UTC)
    named = {"time": f"{told:%H:%M}", "zone": zone.key, "then": f"{at.astimezone(zone):%H:%M}"}
    if at.astimezone(zone).replace(tzinfo=None) != told:
        note = _("Clocks go forward on that day in %(zone)s and skip %(time)s: it is read as %(then)s.")
        return at, [note % named]
    if first.utcoffset() != second.utcoffset():
        named["then"] = f"{second.astimezone(UTC):%H:%M}"
        note = _(
            "Clocks go back on that day in %(zone)s: %(time)s comes twice, and the first is meant. "
            "For the second, ask for %(then)s in UTC."
        )
        return at, [note % named]
    return at, []


def _when(asked: Asked, client: Client, wrong: dict[str, str]) -> tuple[ZoneInfo, datetime, list[str]]:
    zone, at = ZoneInfo("UTC"), datetime.fromtimestamp(0, UTC)
    notes: list[str] = []
    try:
        zone = ZoneInfo(asked.zone.strip() or client.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong["zone"] = _("There is no such time zone; write one such as Europe/Berlin.")
    try:
        at, notes = moment(asked.at, zone)
    except (ValueError, OverflowError):
        wrong["at"] = _("Say when, such as 2026-12-25T03:10.")
    return zone, at, notes


def _service(key: str, client: Client, wrong: dict[str, str]) -> Service | None:
    """The client's own before one that is offered to all."""
    if not key:
        return None
    services = Service.objects.of_client(client.pk).order_by("client_id")
    found = services.filter(key=key).first()
    if found is None:
        keys = ", ".join(sorted(set(services.values_list("key", flat=True)))[:12])
        wrong["service"] = _("%(client)s has no such service; choose of: %(keys)s.") % {
            "client": client.name,
            "keys": keys or _("none"),
        }
    return found


def _category(path: str, wrong: dict[str, str]) -> Category | None:
    if not path:
        return None
    found = Category.objects.filter(path=path).first()
    if found is None:
        wrong["category"] = _("There is no such category; write a path such as network/vpn.")
    return found


def _grades(priority: int, version: ContractVersion | None, service: Service | None) -> tuple[int, int]:
    """The impact and urgency that make this priority, by the matrix that holds then: the gravest impact that does."""
    for impact in GRADES:
        for urgency in GRADES:
            reading = prioritise(
                impact=impact,
                urgency=urgency,
                matrix=version.matrix if version else DEFAULT_MATRIX,
                critical_service=bool(service and service.criticality == 1),
            )
            if reading.priority == priority:
                return impact, urgency
    raise NotASituation(
        {"priority": _("By the contract’s matrix no impact and urgency make a P%s here.") % priority}
    )
