"""The section of exchanges: telephone systems that tell of calls."""

from __future__ import annotations

from typing import Any, Final

from tierdesk.channels.phone.models import Exchange, ExchangeKind, Extension
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, Values, World, link, save_columns


def _complete_token(values: Values) -> None:
    """An exchange that calls us shows a token; the one that we call (Asterisk) has none."""
    if values.get("kind") == ExchangeKind.ASTERISK:
        values.setdefault("token", "")


def judge_exchange(item: Item, found: Findings) -> None:
    if item.values.get("kind") == ExchangeKind.ASTERISK and item.values.get("token"):
        found.add(item.line_of("token"), "We sign in to Asterisk, not it to us; take the token away.")


def _set_extensions(world: World, exchange: Exchange, extensions: dict[str, str]) -> None:
    exchange.extensions.exclude(number__in=extensions).delete()
    for number, email in extensions.items():
        Extension.objects.update_or_create(
            exchange=exchange, number=number, defaults={"agent": world.row("agents", email)}
        )


def _extensions(exchange: Any) -> dict[str, str]:
    return {one.number: one.agent.user.email for one in exchange.extensions.all()}


EXCHANGES: Final = Section(
    "exchanges",
    key=("key",),
    rows=lambda: Exchange.objects.select_related("client", "team", "quiet_in").prefetch_related(
        "extensions__agent__user"
    ),
    save=save_columns(Exchange),
    complete=_complete_token,
    judge=judge_exchange,
    fields=(
        Field("key", s.SLUG),
        Field("name", s.TEXT),
        Field("kind", s.one_of(lambda: dict(ExchangeKind.choices)), ExchangeKind.CTI.value),
        link("client", "clients", None),
        link("team", "teams", None),
        Field("region", s.REGION, "DE"),
        Field("calls_back", s.SWITCH, True),
        Field("keeps_recordings_days", s.whole(0, 3650), 0),
        Field("quiet_hours", s.whole(0, 2000), 0),
        link("quiet_in", "calendars", None),
        Field("enabled", s.SWITCH, True),
        Field("extensions", s.Table(s.TEXT, s.Ref("agents")), {}, get=_extensions, put=_set_extensions),
        Field("token", s.TOKEN, column="token_sha256"),
    ),
)
