"""THE WIRING: which reactions follow which fact, in order. The table of contents of the system.

`now` is true at commit; an exception in it rolls everything back. `later` is queued in the same commit and retried.
Each reaction takes the list of all facts of its kind of the round. Read from top to bottom, it is a ticket's story.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getmodule

from tierdesk.channels.alarms import facts as alarms
from tierdesk.channels.alarms import reactions as alarming
from tierdesk.channels.alarms.beats import check_beats, next_beat, overdue
from tierdesk.channels.alarms.models import Alarm, Source
from tierdesk.channels.alarms.ticketing import AT_ONCE as ALARMS_AT_ONCE
from tierdesk.channels.alarms.ticketing import follow_up, next_unseen, unseen, wake_and_resolve
from tierdesk.channels.chat import bridged
from tierdesk.channels.chat import reactions as chats
from tierdesk.channels.chat import sender as chat
from tierdesk.channels.chat.models import Conversation, wake_conversations
from tierdesk.channels.email import sender as mail
from tierdesk.channels.email.models import Collection, Vigil
from tierdesk.channels.email.vigil import keep_vigils
from tierdesk.channels.email.watch import watch_mailboxes
from tierdesk.channels.intake import AT_ONCE as INBOUND_AT_ONCE
from tierdesk.channels.intake import next_due, understand_due
from tierdesk.channels.models import Inbound
from tierdesk.channels.outbox import Outbox, ways
from tierdesk.channels.pager.sending import send_pages
from tierdesk.channels.phone.callbacks import follow_up_calls
from tierdesk.channels.phone.models import Call
from tierdesk.core import jobs
from tierdesk.core.facts import Fact
from tierdesk.core.wakeups import Errand, Wakeup
from tierdesk.core.work import Reactions, Wiring
from tierdesk.directory.clients.models import Client
from tierdesk.directory.oncall.ahead import look_ahead
from tierdesk.directory.oncall.models import Schedule, Subscription
from tierdesk.directory.oncall.subscription import ask_due
from tierdesk.directory.staff.models import Agent
from tierdesk.learning.analytics import reactions as figures
from tierdesk.learning.analytics.closing import close_due, compare_due
from tierdesk.learning.analytics.models import ClosedMonth
from tierdesk.learning.prediction import reactions as prediction
from tierdesk.learning.prediction.models import Outlook
from tierdesk.learning.prediction.outlooks import AT_ONCE as OUTLOOKS_AT_ONCE
from tierdesk.learning.prediction.outlooks import tell_due
from tierdesk.learning.problems import reactions as problems
from tierdesk.learning.problems.recurrences import Recurrence, count_repeats
from tierdesk.response.assignment import facts as giving
from tierdesk.response.assignment import reactions as assignment
from tierdesk.response.assignment.models import Offer, give_away, return_agents
from tierdesk.response.major import facts as major
from tierdesk.response.major import reactions as majors
from tierdesk.response.major.carry import AT_ONCE as CASCADES_AT_ONCE
from tierdesk.response.major.carry import carry_due
from tierdesk.response.major.models import Cascade, MajorIncident, ReviewAction, wake_incidents
from tierdesk.response.major.review import wake_actions
from tierdesk.response.notifications import facts as post
from tierdesk.response.notifications import reactions as notifications
from tierdesk.response.notifications.house import tell_agents, tell_leads
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging import facts as calling
from tierdesk.response.paging import reactions as paging
from tierdesk.response.paging.follow import follow_schedules
from tierdesk.response.paging.models import Paging, wake_pagings
from tierdesk.response.paging.pages import Page
from tierdesk.response.runbooks import reactions as runbooks
from tierdesk.response.shifts.models import ShiftHandOver, remind_takers
from tierdesk.response.sla import facts as clocks
from tierdesk.response.sla import reactions as sla
from tierdesk.response.sla.models import WAKING, Clock, Rung, wake_clocks
from tierdesk.response.sla.rungs import reach_rungs
from tierdesk.response.tiers import facts as ladder
from tierdesk.response.tiers import reactions as tiers
from tierdesk.response.tiers.consultations import Consultation, wake_consultations
from tierdesk.response.triage import reactions as triage
from tierdesk.response.vendors import facts as vendors
from tierdesk.response.vendors import reactions as cases
from tierdesk.response.vendors.models import Case, chase_cases
from tierdesk.response.waiting import facts as waits
from tierdesk.response.waiting import reactions as waiting
from tierdesk.response.waiting.models import Wait, wake_waits
from tierdesk.tickets import facts as tickets
from tierdesk.tickets.lifecycle import wake_tickets
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.timeline import Timeline

FLOW: dict[type[Fact], Reactions] = {
    # Trouble becomes a ticket.
    tickets.Opened: Reactions(now=[triage.tell, chats.bind_conversations]),
    tickets.Triaged: Reactions(
        now=[
            sla.start_clocks,
            notifications.send_receipts,
            notifications.tell_team,
            paging.call_people,
            assignment.offer_new,
            prediction.look_again,
        ]
    ),
    # Somebody takes it, or is given it, and talks to the contact.
    tickets.Acknowledged: Reactions(now=[sla.stop_acknowledge, paging.stop_calling]),
    tickets.Assigned: Reactions(
        now=[notifications.tell_assignee, paging.stop_calling, assignment.offer_put_back]
    ),
    giving.NobodyFound: Reactions(now=[notifications.tell_about_unfound]),
    tickets.Replied: Reactions(now=[sla.stop_respond, notifications.mail_replies, paging.stop_calling]),
    post.Undelivered: Reactions(
        now=[
            sla.restore_respond,
            waiting.doubt_silence,
            notifications.tell_about_bounces,
            figures.compare_closed_months,
        ]
    ),
    post.LeftLate: Reactions(now=[sla.respond_when_it_left, figures.compare_closed_months]),
    tickets.Heard: Reactions(now=[sla.owe_answers, notifications.tell_about_words]),
    tickets.Categorised: Reactions(now=[prediction.look_again]),
    tickets.Reprioritised: Reactions(
        now=[
            sla.retarget_clocks,
            paging.call_people,
            prediction.look_again,
            figures.compare_closed_months,
        ]
    ),
    tickets.TermsChanged: Reactions(
        now=[sla.retarget_clocks, prediction.look_again, figures.compare_closed_months]
    ),
    tickets.Retyped: Reactions(
        now=[
            sla.count_anew,
            paging.call_people,
            prediction.look_again,
            figures.compare_closed_months,
        ]
    ),
    alarms.AlarmsWorsened: Reactions(now=[notifications.tell_about_alarms]),
    # It waits, and wakes.
    tickets.Pended: Reactions(
        now=[
            sla.pause_clocks,
            waiting.begin_waits,
            paging.leave_followers_alone,
            assignment.make_room,
            prediction.look_again,
        ]
    ),
    tickets.Resumed: Reactions(
        now=[
            sla.resume_clocks,
            waiting.end_waits,
            majors.let_go,
            paging.call_about_released,
            prediction.look_again,
        ]
    ),
    tickets.WaitPutIn: Reactions(
        now=[sla.put_in_pauses, prediction.look_again, figures.compare_closed_months]
    ),
    waits.Reminded: Reactions(now=[cases.chase_vendors, notifications.send_reminders]),
    waits.SilenceWarned: Reactions(now=[notifications.warn_of_silence]),
    waits.WaitReturned: Reactions(now=[notifications.tell_about_silence]),
    vendors.CaseMissing: Reactions(now=[notifications.tell_about_missing_cases]),
    # A promise runs out; the hierarchy is told, the ticket does not move.
    clocks.Warned: Reactions(now=[tiers.warn_hierarchy]),
    clocks.Breached: Reactions(now=[tiers.tell_hierarchy]),
    clocks.RungReached: Reactions(now=[tiers.climb_hierarchy]),
    clocks.DatePromised: Reactions(now=[sla.promise_dates]),
    clocks.DateTakenBack: Reactions(now=[sla.take_back_dates]),
    ladder.Complained: Reactions(now=[tiers.tell_about_complaints, notifications.confirm_complaints]),
    ladder.HierarchyTold: Reactions(now=[notifications.tell_hierarchy]),
    # It is a major incident: many have it, somebody leads, and clients hear from us in time.
    major.MajorProposed: Reactions(now=[tiers.tell_about_major_incidents]),
    major.ProposalAnswered: Reactions(now=[notifications.tell_proposer]),
    major.MajorDeclared: Reactions(now=[tiers.tell_about_major_incidents]),
    major.ManagerMissing: Reactions(now=[tiers.tell_about_major_incidents]),
    major.UpdateMissed: Reactions(now=[tiers.tell_about_major_incidents]),
    major.RoleHanded: Reactions(now=[notifications.tell_role]),
    major.UpdateDue: Reactions(now=[notifications.remind_of_updates]),
    major.ActionAgreed: Reactions(now=[notifications.tell_owner]),
    major.ActionDue: Reactions(now=[notifications.remind_owner]),
    # It climbs the ladder, or comes back.
    tickets.HandedOver: Reactions(
        now=[
            sla.change_tier_clocks,
            tiers.overtake_escalations,
            paging.call_people,
            assignment.offer_handed_over,
            prediction.look_again,
        ]
    ),
    calling.HandDue: Reactions(now=[tiers.climb]),
    ladder.EscalationSent: Reactions(
        now=[
            sla.start_acceptance,
            notifications.tell_receiving_team,
            tiers.tell_about_emergencies,
            runbooks.open_gaps,
        ]
    ),
    ladder.EscalationAccepted: Reactions(now=[sla.stop_acceptance]),
    ladder.EscalationReturned: Reactions(
        now=[sla.charge_returned_time, notifications.tell_sending_team, runbooks.open_gaps_below]
    ),
    ladder.EscalationCoached: Reactions(
        now=[sla.charge_returned_time, notifications.tell_sending_team, runbooks.open_gaps_below]
    ),
    ladder.EscalationWithdrawn: Reactions(now=[sla.charge_returned_time]),
    ladder.EscalationOvertaken: Reactions(now=[sla.stop_acceptance]),
    ladder.Consulted: Reactions(now=[notifications.tell_consulted_team]),
    ladder.ConsultationAnswered: Reactions(now=[notifications.tell_advised]),
    ladder.AdviceLate: Reactions(now=[notifications.tell_about_late_advice]),
    # The vendor works on it.
    vendors.CaseSubmitted: Reactions(now=[sla.start_vendor_clocks]),
    vendors.CaseAnswered: Reactions(now=[notifications.mail_vendor]),
    vendors.CaseHeard: Reactions(now=[cases.wake_waiting_tickets, notifications.tell_about_case]),
    vendors.CaseSeverityChanged: Reactions(now=[sla.retarget_vendor_clocks]),
    vendors.CaseMoved: Reactions(now=[sla.follow_vendor_case, figures.compare_closed_months]),
    vendors.CaseChased: Reactions(now=[notifications.remind_driver]),
    # It ends, or does not.
    tickets.Resolved: Reactions(
        now=[
            sla.stop_clocks,
            waiting.end_waits,
            majors.follow_end,
            majors.resolve_children,
            runbooks.leave_runs,
            tiers.end_escalations,
            paging.end_calling,
            assignment.make_room,
            chats.end_conversations,
            notifications.mail_resolutions,
            problems.notice_repeats,
            prediction.stop_looking,
        ]
    ),
    tickets.Reopened: Reactions(
        now=[
            sla.count_on,
            majors.reopen_children,
            majors.come_back,
            paging.call_people,
            assignment.offer_reopened,
            prediction.look_again,
            figures.compare_closed_months,
        ]
    ),
    tickets.Closed: Reactions(now=[sla.cancel_clocks, paging.end_calling, chats.end_conversations]),
    tickets.Cancelled: Reactions(
        now=[
            sla.cancel_clocks,
            waiting.end_waits,
            majors.follow_end,
            runbooks.leave_runs,
            tiers.end_escalations,
            paging.end_calling,
            assignment.make_room,
            chats.end_conversations,
            notifications.mail_merges,
            prediction.stop_looking,
        ]
    ),
    # It is another client's.
    tickets.ClientChanged: Reactions(
        now=[
            prediction.stop_looking,
            prediction.look_again,
            cases.keep_cases_with_their_clients,
            majors.keep_with_its_client,
            tiers.keep_with_its_client,
            runbooks.keep_own_books_with_their_clients,
            alarming.keep_alarms_with_their_clients,
            chats.keep_chats_with_their_clients,
            problems.keep_problems_with_their_clients,
            sla.count_for_another_client,
            notifications.withhold_mails,
            paging.call_people,
            prediction.look_again,
            figures.compare_closed_months,
        ]
    ),
    # It is the same matter as another, or not after all.
    tickets.Absorbed: Reactions(now=[cases.keep_cases_with_their_tickets, alarming.follow_merges]),
    tickets.Parted: Reactions(
        now=[
            sla.count_on_alone,
            notifications.mail_partings,
            prediction.look_again,
            figures.compare_closed_months,
        ]
    ),
    # Its clocks were not what its timeline says, and are set right.
    clocks.ClocksCorrected: Reactions(now=[figures.compare_closed_months]),
}

WIRING = Wiring(reactions=FLOW, journal=Timeline(), later=jobs.later, opening=triage.decide)

REMEMBERED = {triage, sla, tiers}
"""The rooms that answer what is told as history: they keep the desk's own state. The others would tell people of it."""

HISTORY = Wiring(
    reactions={
        fact: Reactions(now=[one for one in answers.now if getmodule(one) in REMEMBERED])
        for fact, answers in FLOW.items()
    },
    journal=Timeline(),
    later=jobs.later,
    opening=triage.decide,
)
"""What happened long ago in another desk and is told now (ops/history): nobody is mailed, called or reminded."""

WAKEUPS: Sequence[Wakeup | Errand] = [
    Errand(Inbound, understand_due, waits_since=next_due, batch=INBOUND_AT_ONCE, apart=True),
    Errand(Source, check_beats, waiting=overdue, waits_since=next_beat),
    Errand(Alarm, follow_up, waiting=unseen, waits_since=next_unseen, batch=ALARMS_AT_ONCE),
    Errand(Alarm, wake_and_resolve, batch=ALARMS_AT_ONCE),
    Wakeup(Clock, wake_clocks, values=WAKING, batch=4000, beside=True),
    Wakeup(Rung, reach_rungs),
    Wakeup(Ticket, wake_tickets),
    Wakeup(Agent, return_agents),
    Wakeup(Schedule, look_ahead(tell_leads, follow_schedules)),
    Errand(Subscription, ask_due(tell_leads), apart=True),
    Wakeup(Offer, give_away),
    Wakeup(ShiftHandOver, remind_takers(tell_agents)),
    Wakeup(Paging, wake_pagings),
    Wakeup(Consultation, wake_consultations),
    Wakeup(Case, chase_cases),
    Wakeup(Wait, wake_waits),
    Errand(Cascade, carry_due, batch=CASCADES_AT_ONCE),
    Wakeup(MajorIncident, wake_incidents),
    Wakeup(ReviewAction, wake_actions),
    Wakeup(Recurrence, count_repeats),
    Wakeup(Call, follow_up_calls),
    Wakeup(Conversation, wake_conversations),
    Wakeup(Collection, watch_mailboxes),
    Wakeup(Vigil, keep_vigils),
    Errand(Client, close_due, apart=True),
    Errand(ClosedMonth, compare_due, apart=True),
    Errand(Outlook, tell_due, batch=OUTLOOKS_AT_ONCE, apart=True),
    Errand(
        Notice,
        Outbox(ways(mail=mail.send, chat=chat.send, room=bridged.say), mail.way_of).send_due,
        apart=True,
    ),
    Errand(Page, send_pages, apart=True),
]
