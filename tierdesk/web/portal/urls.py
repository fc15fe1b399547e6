"""The addresses of the portal. Actions are resources; a form's POST creates one."""

from __future__ import annotations

from django.urls import path

from tierdesk.web.portal.views import answers, links, requests, tickets

app_name = "portal"

urlpatterns = [
    path("", tickets.tickets, name="tickets"),
    path("new/", requests.new, name="new"),
    path("receipts/<uuid:delivery>/", requests.receipt, name="receipt"),
    path("tickets/<int:pk>/", tickets.ticket, name="ticket"),
    path("tickets/<int:pk>/words/", answers.words, name="words"),
    path("tickets/<int:pk>/closure/", answers.closure, name="closure"),
    path("tickets/<int:pk>/reopening/", answers.reopening, name="reopening"),
    path("tickets/<int:pk>/attachments/<int:attachment_id>/", tickets.attachment, name="attachment"),
    path("link/", links.link, name="link"),
    path("link/<str:token>/", links.link_use, name="link-use"),
]
