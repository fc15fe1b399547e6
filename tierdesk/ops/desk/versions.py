"""What is published in versions. Changed words make a new version; no version is ever edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db.models import Max, Prefetch, QuerySet

from tierdesk.core import clock
from tierdesk.directory.calendars.holidays import holidays
from tierdesk.directory.calendars.models import Calendar, CalendarVersion
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise
from tierdesk.ops.desk.schema import Section, Values, World, save_columns
from tierdesk.response.runbooks.models import Book, BookRefused, read_book
from tierdesk.response.tiers.models import Procedure, ProcedureKind

CALENDAR_WORDS = {"timezone", "week", "closed", "holidays", "partial"}
CONTRACT_WORDS = {
    "calendar",
    "matrix",
    "channels",
    "performers",
    "policies",
    "reopen_days",
    "promises",
    "pending",
    "access",
    "rungs",
    "complaints",
    "major_updates",
}
OURS = {1: "us", 2: "us", 3: "us", 4: "vendor"}


def numbered_calendars() -> QuerySet[CalendarVersion]:
    """Calendar versions that know the number of their calendar's newest, as `calendar_key` wants them."""
    return CalendarVersion.objects.select_related("calendar").annotate(
        last=Max("calendar__versions__version")
    )


def calendars() -> QuerySet[Calendar]:
    return Calendar.objects.prefetch_related(_newest_of(CalendarVersion.objects.all(), "calendar_id"))


def contracts() -> QuerySet[Contract]:
    promises = Promise.objects.order_by("priority").prefetch_related(
        Prefetch("calendar", numbered_calendars())
    )
    versions = ContractVersion.objects.prefetch_related(
        Prefetch("promises", promises), Prefetch("calendar", numbered_calendars())
    )
    rows: QuerySet[Contract] = Contract.objects.select_related("client")
    return rows.prefetch_related(_newest_of(versions, "contract_id"))


def _newest_of(versions: QuerySet[Any], owner: str) -> Prefetch[Any]:
    """The newest version of each row, alone in the list `newest_versions`."""
    newest = versions.order_by(owner, "-version").distinct(owner)
    return Prefetch("versions", newest, to_attr="newest_versions")


def newest(row: Any) -> Any:
    """A row's newest version; None where there is none."""
    return row.newest_versions[0] if row.newest_versions else None


def of_newest(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read from a row's newest version; None where there is none."""
    return lambda row: None if newest(row) is None else get(newest(row))


def calendar_key(version: Any) -> str:
    """How the file names a calendar version: by the calendar; an outdated one also by its number."""
    key: str = version.calendar.key
    return key if version.version == version.last else f"{key}@{version.version}"


def calendar_spec(values: Values) -> Values:
    """A calendar's values as a version stores them (`Hours.from_spec`). Raises UnreadableCalendar."""
    file = values["holidays"]
    read = {"file": file, "days": [day.isoformat() for day in holidays(file)]} if file else None
    return {
        "tz": values["timezone"],
        "week": values["week"],
        "closed": values["closed"],
        "partial": values["partial"],
    } | ({"holidays": read} if read else {})


def publish_calendar(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    calendar = save_columns(Calendar)(world, section, row, values, changed & {"key", "name"})
    if changed & CALENDAR_WORDS:
        version = CalendarVersion.objects.create(
            calendar=calendar,
            version=_next(calendar),
            effective_from=values["effective_from"] or clock.now().date(),
            spec=calendar_spec(values),
        )
        calendar.newest_versions = [version]
    return calendar


def publish_contract(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    contract = save_columns(Contract)(
        world, section, row, values, changed & {"client", "key", "name", "type"}
    )
    if changed & CONTRACT_WORDS:
        version = ContractVersion.objects.create(
            client=contract.client,
            contract=contract,
            version=_next(contract),
            effective_from=values["effective_from"] or _first_day(contract),
            calendar=newest(world.row("calendars", values["calendar"])),
            matrix=values["matrix"],
            channels=values["channels"],
            performers={str(tier): who for tier, who in values["performers"].items()},
            policies=values["policies"],
            reopen_days=values["reopen_days"],
            pending=values["pending"],
            rungs=values["rungs"],
            complaints=values["complaints"],
            access=values["access"],
            major_updates={str(priority): every for priority, every in values["major_updates"].items()},
        )
        Promise.objects.bulk_create(_promises(world, version, values["promises"]))
        contract.newest_versions = [version]
    return contract


def _first_day(contract: Contract) -> date:
    """Today; where the version before begins later still, that day, or the new one would never be in force."""
    last = contract.versions.order_by("-effective_from").first()
    today = clock.now().date()
    return max(today, last.effective_from) if last else today


def _next(row: Any) -> int:
    newest = row.versions.order_by("-version").first()
    return newest.version + 1 if newest else 1


def _promises(world: World, version: ContractVersion, promises: Values) -> Iterable[Promise]:
    for priority, promise in promises.items():
        calendar = newest(world.row("calendars", promise["calendar"]))
        sla = [(metric, "SLA", None, promise[metric]) for metric in SLA_METRICS if metric in promise]
        ola = [("resolve", "OLA", tier, seconds) for tier, seconds in promise.get("ola", {}).items()]
        for metric, party, tier, seconds in (*sla, *ola):
            yield Promise(
                client=version.client,
                contract_version=version,
                metric=metric,
                party=party,
                priority=priority,
                tier=tier,
                target_s=seconds,
                calendar=calendar,
            )


SLA_METRICS = ("acknowledge", "respond", "update", "resolve")


def promises_of(version: ContractVersion) -> Values:
    """A contract version's promises by priority, as the file says them."""
    promises: Values = {}
    for row in version.promises.all():
        promise = promises.setdefault(row.priority, {"calendar": calendar_key(row.calendar)})
        if row.party == "OLA" and row.metric == "resolve":
            promise.setdefault("ola", {})[row.tier] = row.target_s
        elif row.party == "SLA":
            promise[row.metric] = row.target_s
    return promises


def complete_promises(values: Values) -> None:
    """A priority that names no calendar is measured in the contract's."""
    for promise in values.get("promises", {}).values():
        if "calendar" in values:
            promise.setdefault("calendar", values["calendar"])


def without_own_calendars(values: Values) -> Values:
    """The inverse: a promise that is measured in the contract's calendar does not name it."""
    promises = {
        priority: {
            name: part
            for name, part in promise.items()
            if (name, part) != ("calendar", values.get("calendar"))
        }
        for priority, promise in (values.get("promises") or {}).items()
    }
    return values | {"promises": promises}


def newest_procedures() -> QuerySet[Procedure]:
    """The newest version of each procedure, retired or not."""
    return (
        Procedure.objects.select_related("client")
        .order_by("client_id", "key", "-version")
        .distinct("client_id", "key")
    )


def publish_procedure(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    """The next version, or the retirement, of a procedure. Raises ProcedureRefused."""
    if row is not None and values["retired"]:
        row.retire()
        return row
    published = Procedure.publish(
        values["key"],
        name=values["name"],
        spec=values["rules"],
        from_tier=values["from_tier"],
        client=world.row("clients", values["client"]),
        category_scope=values["category"],
        kind=ProcedureKind(values["kind"]),
        in_force_from=values["in_force_from"],
        review_by=values["review_by"],
        approved_by=values["approved_by"],
    )
    if values["retired"]:
        published.retire()
    return published


def publish_book(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    """The book, with a new revision if its words changed. Raises BookRefused."""
    revision = Book.publish(
        values["text"],
        client=world.row("clients", values["client"]),
        owner=world.row("teams", values["owner"]),
    )
    return revision.book


def book_head(values: Values) -> Values:
    """What a book's own head says of it, its key; nothing where it cannot be read, which judge_book tells."""
    try:
        return {"key": read_book(values.get("text", "")).id}
    except BookRefused:
        return {}
