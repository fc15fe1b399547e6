"""`tierdesk clocks whatif`, and the same for a page: the last days' tickets under the contracts of a draft desk file.

The draft is brought about in a transaction that is taken back, as by a dry run: it must be one that could be applied.
What its contracts promise is read meanwhile; the replay comes afterwards, and nobody waits for it.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import timedelta

import yaml
from django.db import transaction
from django.db.models import Max

from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing, set_scope
from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.ops.desk.change import apply_document, changing_the_desk
from tierdesk.ops.desk.lines import DeskRefused, Findings, compose
from tierdesk.response.sla.whatif import Broken, Comparison, Differing, Draft, compare

DAYS = 90
SHOWN = 50
NO_CONTRACT = "The draft changes no contract that tickets were opened under; there is nothing to compare."


class NothingDrafted(ValueError):
    """The draft has no contract that differs from the one in force."""


def what_if(
    top: yaml.MappingNode, found: Findings, *, days: int = DAYS, most: int | None = None
) -> Comparison:
    """Compare. Raises DeskRefused as applying would, NothingDrafted where no contract differs. Writes nothing."""
    now = clock.now()
    with seeing(EVERY_CLIENT):
        draft = _drafted(top, found)
        return compare(draft, since=now - timedelta(days=days), at=now, most=most)


def _drafted(top: yaml.MappingNode, found: Findings) -> Draft:
    with changing_the_desk():
        before = _newest()
        apply_document(top, found)
        after = _newest()
        changed = {contract: after[contract] for contract in before if after[contract] != before[contract]}
        if not changed:
            raise NothingDrafted(NO_CONTRACT)
        replaced = ContractVersion.objects.filter(contract__in=changed)
        stands_for = {pk: changed[contract] for pk, contract in replaced.values_list("pk", "contract_id")}
        draft = Draft(ContractVersion.objects.values_list("pk", flat=True), stands_for)
        transaction.set_rollback(True)
    return draft


def _newest() -> Mapping[int, int]:
    """The key of each contract's newest version."""
    versions = ContractVersion.objects.values("contract_id").annotate(newest=Max("pk"))
    return dict(versions.values_list("contract_id", "newest"))


def run(options: Namespace) -> int:
    """Print the comparison; 1 with the findings if the draft is refused, or has nothing to compare."""
    set_scope(EVERY_CLIENT)
    if options.draft is None or options.days < 1:
        print("Say which draft: tierdesk clocks whatif --draft desk.yaml --days 90", file=sys.stderr)
        return 1
    found = Findings(options.draft)
    try:
        text = options.draft.read_text(encoding="utf-8")
        compared = what_if(compose(text, found), found, days=options.days)
    except (OSError, UnicodeDecodeError) as fault:
        print(f"{options.draft}: the file cannot be read ({fault})", file=sys.stderr)
        return 1
    except DeskRefused as refusal:
        print("\n".join(refusal.findings), file=sys.stderr)
        return 1
    except NothingDrafted as nothing:
        print(nothing, file=sys.stderr)
        return 1
    set_scope(EVERY_CLIENT)
    print("\n".join(told(compared, days=options.days)))
    return 0


def told(compared: Comparison, *, days: int) -> list[str]:
    """The comparison as lines of text."""
    now, then = compared.total
    names = names_of(compared)
    lines = [
        f"Tickets of the last {days} days: {compared.tickets:,}; promises broken: {now:,} now, {then:,} then"
    ]
    if compared.unasked:
        lines.append(unasked_in_words(compared))
    for title, place, name in TABLES:
        lines += ["", f"{title:<32}{'now':>8}{'then':>8}"]
        for key, (before, after) in compared.by(place).items():
            lines.append(f"{names.get(key, str(key)) if place == 0 else name % key:<32}{before:>8}{after:>8}")
    lines += ["", f"Tickets that would have fared otherwise: {len(compared.differing):,}"]
    lines += [f"  {in_words(one)}" for one in compared.differing[:SHOWN]]
    if len(compared.differing) > SHOWN:
        lines.append(f"  … and {len(compared.differing) - SHOWN:,} more")
    return lines


TABLES: Sequence[tuple[str, int, str]] = (("client", 0, "%s"), ("tier", 1, "L%s"), ("priority", 2, "P%s"))


def names_of(compared: Comparison) -> dict[int, str]:
    """The clients of a comparison by their keys."""
    return dict(Client.objects.filter(pk__in=compared.by(0)).values_list("pk", "name"))


NAMED = 10


def unasked_in_words(compared: Comparison) -> str:
    """For which tickets the draft's matrix was not asked."""
    named = ", ".join(f"TD-{pk}" for pk in compared.unasked[:NAMED])
    more = len(compared.unasked) - NAMED
    return (
        f"Not known is what the priority of {len(compared.unasked):,} tickets came of, so it stayed as it was: {named}"
        + (f" and {more:,} more" if more > 0 else "")
    )


def in_words(one: Differing) -> str:
    """What is different about a ticket."""
    parts = []
    if one.only_draft:
        parts.append(f"broken then: {_listed(one.only_draft)}")
    if one.only_now:
        parts.append(f"kept then: {_listed(one.only_now)}")
    return f"TD-{one.ticket} {'; '.join(parts)}"


def _listed(broken: Sequence[Broken]) -> str:
    return ", ".join(one.words for one in broken)
