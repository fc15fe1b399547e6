"""The addresses of the workspace. Actions are resources; a form's POST creates or changes one."""

from __future__ import annotations

from django.urls import path

from tierdesk.web.workspace.views import (
    account,
    actions,
    calls,
    directory,
    escalations,
    phone,
    queues,
    reports,
    runs,
    tickets,
    vendors,
)

app_name = "workspace"

urlpatterns = [
    path("", queues.queue, name="home"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-out/", account.sign_out, name="sign-out"),
    path("queues/<slug:slug>/", queues.queue, name="queue"),
    path("search/", queues.search, name="search"),
    path("calls/", calls.calls, name="calls"),
    path("calls/now/", calls.calls_now, name="calls-now"),
    path("calls/<int:pk>/", calls.one_call, name="one-call"),
    path("calls/<int:pk>/agent/", calls.take, name="call-agent"),
    path("calls/<int:pk>/ticket/", calls.tie, name="call-ticket"),
    path("calls/<int:pk>/wrap-up/", calls.wrap_up, name="call-wrap-up"),
    path("calls/new/", phone.new_call, name="new-call"),
    path("calls/callers/", phone.callers, name="callers"),
    path("tickets/<int:pk>/", tickets.ticket, name="ticket"),
    path("tickets/<int:pk>/clocks/<int:clock_id>/", tickets.explained_clock, name="clock"),
    path("tickets/<int:pk>/attachments/<int:attachment_id>/", tickets.attachment, name="attachment"),
    path("tickets/<int:pk>/words/", actions.words, name="words"),
    path("tickets/<int:pk>/assignment/", actions.assignment, name="assignment"),
    path("tickets/<int:pk>/waiting/", actions.waiting, name="waiting"),
    path("tickets/<int:pk>/resolution/", actions.resolution, name="resolution"),
    path("tickets/<int:pk>/cancellation/", actions.cancellation, name="cancellation"),
    path("tickets/<int:pk>/assessment/", actions.assessment, name="assessment"),
    path("tickets/<int:pk>/category/", actions.category, name="category"),
    path("tickets/<int:pk>/runs/", runs.runs, name="runs"),
    path("tickets/<int:pk>/runs/<int:run_id>/", runs.answer, name="run"),
    path("tickets/<int:pk>/escalation/", escalations.escalation, name="escalation"),
    path(
        "tickets/<int:pk>/escalations/<int:escalation_id>/acceptance/",
        escalations.acceptance,
        name="acceptance",
    ),
    path("tickets/<int:pk>/escalations/<int:escalation_id>/return/", escalations.returning, name="return"),
    path("tickets/<int:pk>/consultations/", escalations.consultations, name="consultations"),
    path("tickets/<int:pk>/consultations/<int:consultation_id>/", escalations.advice, name="advice"),
    path("tickets/<int:pk>/cases/", vendors.new_case, name="new-case"),
    path("tickets/<int:pk>/cases/<int:case_id>/", vendors.case, name="case"),
    path("tickets/<int:pk>/cases/<int:case_id>/<slug:verb>/", vendors.move, name="case-verb"),
    path("books/", runs.books, name="books"),
    path("books/<int:pk>/", runs.book, name="book"),
    path("gaps/", runs.gaps, name="gaps"),
    path("gaps/<int:pk>/", runs.gap, name="gap"),
    path("clients/", directory.clients, name="clients"),
    path("clients/<str:key>/", directory.client, name="client"),
    path("parked/", directory.parked, name="parked"),
    path("parked/<int:pk>/", directory.parked_one, name="parked-one"),
    path("notices/", directory.notices, name="notices"),
    path("report/", reports.report_page, name="report"),
    path("report.csv", reports.report_csv, name="report-csv"),
    path("settings/", directory.settings_page, name="settings"),
]
