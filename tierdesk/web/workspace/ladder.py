"""The ladder on a ticket's page: where it can climb, what waits, who was asked, which vendor cases run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.core.written import Written
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.runbooks.models import told_runs
from tierdesk.response.tiers.consultations import WITHINS
from tierdesk.response.tiers.models import Consultation, Escalation, EscalationState
from tierdesk.response.tiers.pack import Known, Pack, RunRecord, prefill
from tierdesk.response.tiers.reasons import ReturnReason
from tierdesk.response.vendors.models import Case, may_open_cases
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.local import written_out

CAME_BACK = {EscalationState.RETURNED, EscalationState.COACHED, EscalationState.WITHDRAWN}

_ESCALATIONS = Written(
    lambda ticket: Escalation.objects.filter(ticket=ticket).select_related(
        "from_team", "to_team", "sent_by__user", "answered_by__user"
    )
)
_CONSULTATIONS = Written(
    lambda ticket: Consultation.objects.filter(ticket=ticket).select_related(
        "team", "asked_by__user", "answered_by__user", "helper__user"
    )
)
_CASES = Written(
    lambda ticket: Case.objects.filter(ticket=ticket).select_related("contract__vendor", "driver__user")
)


def ladder_of(
    ticket: Ticket, agent: Agent, teams: Sequence[Team], hanging: Collection[str]
) -> dict[str, Any]:
    """Template context of everything that has to do with other tiers.

    `teams` are those that serve the ticket's client, `hanging` is what it has (hanging.py).
    """
    escalations = _ESCALATIONS(ticket=ticket) if "escalations" in hanging else []
    consultations = _CONSULTATIONS(ticket=ticket) if "consultations" in hanging else []
    waiting = next((one for one in escalations if one.state == EscalationState.SENT), None)
    return {
        "escalate_to": [team for team in teams if team.tier > ticket.tier] if ticket.is_unresolved() else [],
        "escalations": escalations,
        "waiting_escalation": waiting,
        "returned": _returned(ticket, escalations),
        "may_answer": waiting is not None and waiting.to_team_id in agent.team_ids,
        "may_withdraw": waiting is not None and waiting.from_team_id in agent.team_ids,
        "return_reasons": ReturnReason.choices,
        "consultations": [(one, one.is_late(clock.now())) for one in consultations],
        "consult_within": [(minutes, _("%s working minutes") % minutes) for minutes in WITHINS],
        "my_teams": agent.team_ids,
        "may_consult": ticket.is_unresolved(),
        "cases": _CASES(ticket=ticket) if "cases" in hanging else [],
        "may_open_case": may_open_cases(agent),
    }


def _returned(ticket: Ticket, escalations: Sequence[Escalation]) -> Escalation | None:
    """The newest hand-over, if it was sent back to where the ticket is: whoever works it must read why."""
    newest = max(escalations, key=lambda one: one.sent_at, default=None)
    if newest is None or newest.state != EscalationState.RETURNED or not ticket.is_unresolved():
        return None
    return newest if newest.from_team_id == ticket.team_id else None


def run_records(ticket: Ticket) -> list[RunRecord]:
    """The book runs of a ticket in plain words, for the pack and the gate."""
    return [RunRecord(*told) for told in told_runs(ticket)]


def came_back(ticket: Ticket) -> Escalation | None:
    """The last hand-over of the tier that has the ticket, if it came back: it is to be sent again, better."""
    last: Escalation | None = ticket.escalations.filter(from_tier=ticket.tier).order_by("-sent_at").first()
    return last if last is not None and last.state in CAME_BACK else None


def prefilled(ticket: Ticket, runs: list[RunRecord], zone: ZoneInfo) -> Pack:
    """The hand-over pack as far as the desk knows it, in the time of whoever sends it."""
    said = ticket.messages.filter(direction=Direction.OUTBOUND).order_by("-at").first()
    heard = ticket.messages.filter(direction=Direction.INBOUND).order_by("at").values_list("text", flat=True)
    back = came_back(ticket)
    files = ticket.messages.filter(attachments__isnull=False).values_list("attachments__name", flat=True)
    return prefill(
        Known(
            subject=ticket.subject,
            description="\n".join(heard),
            component=ticket.component.name if ticket.component else "",
            contact=f"{ticket.contact.name}, {ticket.client.name}" if ticket.contact else ticket.client.name,
            opened_at=written_out(ticket.created_at, zone),
            files=list(files),
            runs=runs,
            last_promise=said.text[:500] if said else "",
            came_back=back.contents if back else None,
        )
    )
