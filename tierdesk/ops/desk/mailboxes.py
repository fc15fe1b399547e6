"""The section of mailboxes, with what is written down of a provider that lets us into one."""

from __future__ import annotations

from typing import Any, Final

from tierdesk.channels.email.models import Afterwards, Grant, Mailbox, Provider, Security
from tierdesk.channels.email.vigil import set_up
from tierdesk.core import clock
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, Values, World, link, save_columns
from tierdesk.ops.desk.sealed import read_sealed, sealed

GRANTED: Final = {
    "provider": "provider",
    "tenant": "tenant",
    "authorize_url": "authorize_url",
    "token_url": "token_url",
    "scope": "scope",
    "application_id": "application_id",
    "application_secret": "application_secret",
    "secret_ends": "secret_ends_date",
}
"""Fields of an item that stand in the mailbox's grant, and its columns."""


def judge_mailbox(item: Item, found: Findings) -> None:
    told = item.values
    if not told.get("provider"):
        for name in sorted(GRANTED.keys() & {name for name, value in told.items() if value}):
            found.add(item.line_of(name), f"“{name}” is about a provider; say which, with “provider:”.")
        return
    needed = ["application_id"]
    if told["provider"] == Provider.OTHER:
        needed += ["authorize_url", "token_url", "scope"]
    for name in needed:
        if not told.get(name):
            found.add(item.line_of("provider"), f"A mailbox with this provider needs “{name}”; give it.")
    if told.get("password"):
        found.add(item.line_of("password"), "The provider lets us in; take the password away.")


def _save(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    row = save_columns(Mailbox)(world, section, row, values, changed)
    if changed & {"active", "quiet_hours", "quiet_in", "canary_minutes"}:
        set_up(row, clock.now())
    if not values["provider"]:
        Grant.objects.filter(mailbox=row).delete()
    elif about := changed & GRANTED.keys():
        grant = Grant.objects.filter(mailbox=row).first() or Grant(mailbox=row)
        grant.write_down({GRANTED[name]: values[name] for name in GRANTED if name in about})
    return row


def _granted(name: str, shape: s.Shape = s.TEXT, default: Any = "", bound_to: tuple[str, ...] = ()) -> Field:
    def get(row: Any) -> Any:
        return read_sealed(row.grant, GRANTED[name]) if hasattr(row, "grant") else default

    return Field(name, shape, default, get=get, bound_to=bound_to)


MAILBOXES: Final = Section(
    "mailboxes",
    key=("address",),
    rows=lambda: Mailbox.objects.select_related("client", "grant", "quiet_in"),
    save=_save,
    judge=judge_mailbox,
    fields=(
        Field("address", s.EMAIL),
        link("client", "clients", None),
        Field("default", s.SWITCH, False, column="is_default"),
        Field("active", s.SWITCH, True, column="is_active"),
        Field("user", s.TEXT, ""),
        Field("imap_host", s.TEXT, ""),
        Field("imap_port", s.PORT, 993),
        Field("imap_security", s.one_of(lambda: dict(Security.choices)), Security.TLS.value),
        Field("folder", s.TEXT, "INBOX"),
        Field("afterwards", s.one_of(lambda: dict(Afterwards.choices)), Afterwards.MOVE.value),
        Field("done_folder", s.TEXT, "Tierdesk"),
        Field("takes_old", s.SWITCH, False),
        Field("smtp_host", s.TEXT, ""),
        Field("smtp_port", s.PORT, 587),
        Field("smtp_security", s.one_of(lambda: dict(Security.choices)), Security.STARTTLS.value),
        Field("smtp_user", s.TEXT, ""),
        Field("authserv_id", s.TEXT, ""),
        Field("hops", s.whole(0, 20), 1),
        Field("quiet_hours", s.whole(0, 2000), 0),
        link("quiet_in", "calendars", None),
        Field("canary_minutes", s.whole(0, 30), 0),
        sealed("password", "imap_host", "smtp_host", "smtp_user"),
        sealed("smtp_password", "smtp_host"),
        _granted("provider", s.one_of(lambda: dict(Provider.choices))),
        _granted("tenant"),
        _granted("authorize_url"),
        _granted("token_url"),
        _granted("scope"),
        _granted("application_id"),
        _granted("application_secret", s.SECRET, bound_to=("token_url",)),
        _granted("secret_ends", s.DATE, None),
    ),
)
