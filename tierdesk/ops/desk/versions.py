"""What is published in versions. Changed words make a new version; no version is ever edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tierdesk.core import clock
from tierdesk.directory.calendars.models import Calendar, CalendarVersion
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise
from tierdesk.ops.desk.schema import Section, Values, World, save_columns
from tierdesk.response.runbooks.models import Book, BookRefused, read_book
from tierdesk.response.tiers.models import Procedure, ProcedureKind

CALENDAR_WORDS = {"timezone", "week", "closed", "partial"}
CONTRACT_WORDS = {"calendar", "matrix", "channels", "performers", "policies", "reopen_days", "promises"}
OURS = {1: "us", 2: "us", 3: "us", 4: "vendor"}


def with_newest(model: Any) -> Callable[[], Iterable[Any]]:
    """All rows of a model, each with its newest version, or None, as `newest`."""

    def rows() -> Iterable[Any]:
        for row in model.objects.all():
            row.newest = row.versions.order_by("-version").first()
            yield row

    return rows


def of_newest(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read from a row's newest version; None where there is none."""
    return lambda row: None if row.newest is None else get(row.newest)


def calendar_key(version: CalendarVersion) -> str:
    """How the file names a calendar version: by the calendar; an outdated one also by its number."""
    is_current = version.pk == version.calendar.current().pk
    return version.calendar.key if is_current else f"{version.calendar.key}@{version.version}"


def calendar_spec(values: Values) -> Values:
    """A calendar's values as a version stores them (`Hours.from_spec`)."""
    return {
        "tz": values["timezone"],
        "week": values["week"],
        "closed": values["closed"],
        "partial": values["partial"],
    }


def publish_calendar(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    calendar = save_columns(Calendar)(world, section, row, values, changed & {"key", "name"})
    if changed & CALENDAR_WORDS:
        calendar.newest = CalendarVersion.objects.create(
            calendar=calendar,
            version=_next(calendar),
            effective_from=values["effective_from"] or clock.now().date(),
            spec=calendar_spec(values),
        )
    return calendar


def publish_contract(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    contract = save_columns(Contract)(world, section, row, values, changed & {"client", "key", "name"})
    if changed & CONTRACT_WORDS:
        contract.newest = ContractVersion.objects.create(
            client=contract.client,
            contract=contract,
            version=_next(contract),
            effective_from=values["effective_from"] or clock.now().date(),
            calendar=world.row("calendars", values["calendar"]).newest,
            matrix=values["matrix"],
            channels=values["channels"],
            performers={str(tier): who for tier, who in values["performers"].items()},
            policies=values["policies"],
            reopen_days=values["reopen_days"],
        )
        Promise.objects.bulk_create(_promises(world, contract.newest, values["promises"]))
    return contract


def _next(row: Any) -> int:
    newest = row.versions.order_by("-version").first()
    return newest.version + 1 if newest else 1


def _promises(world: World, version: ContractVersion, promises: Values) -> Iterable[Promise]:
    for priority, promise in promises.items():
        calendar = world.row("calendars", promise["calendar"]).newest
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
    for row in version.promises.select_related("calendar__calendar").order_by("priority"):
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


def newest_procedures() -> Iterable[Procedure]:
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
