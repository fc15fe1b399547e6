"""The addresses of the portal. Actions are resources; a form's POST creates one."""

from __future__ import annotations

from django.urls import path

from tierdesk.web.portal.chat import bridges
from tierdesk.web.portal.chat import views as chat
from tierdesk.web.portal.views import answers, forms, links, requests, tickets

app_name = "portal"

urlpatterns = [
    path("", tickets.tickets, name="tickets"),
    path("new/", requests.new, name="new"),
    path("new/suggestions/", forms.suggestions_for_request, name="request-suggestions"),
    path("solved/", forms.solved_without_us, name="solved"),
    path("forms/<slug:key>/", forms.form, name="form"),
    path("forms/<slug:key>/suggestions/", forms.suggestions, name="suggestions"),
    path("public/<str:client>/<slug:key>/", forms.public_form, name="public-form"),
    path("public/<str:client>/<slug:key>/suggestions/", forms.public_suggestions, name="public-suggestions"),
    path("public/<str:client>/<slug:key>/<uuid:delivery>/", forms.public_receipt, name="public-receipt"),
    path("receipts/<uuid:delivery>/", requests.receipt, name="receipt"),
    path("tickets/<int:pk>/", tickets.ticket, name="ticket"),
    path("tickets/<int:pk>/words/", answers.words, name="words"),
    path("tickets/<int:pk>/complaint/", answers.complaint, name="complaint"),
    path("tickets/<int:pk>/closure/", answers.closure, name="closure"),
    path("tickets/<int:pk>/reopening/", answers.reopening, name="reopening"),
    path("tickets/<int:pk>/attachments/<int:attachment_id>/", tickets.attachment, name="attachment"),
    path("chat/", chat.mine, name="chat-mine"),
    path("chat/<slug:key>/", chat.page, name="chat"),
    path("chat/<slug:key>/state/", chat.state, name="chat-state"),
    path("chat/<slug:key>/lines/", chat.lines, name="chat-lines"),
    path("chat/<slug:key>/life/", chat.life, name="chat-life"),
    path("chat/<slug:key>/end/", chat.end, name="chat-end"),
    path("bridge/<slug:key>/", bridges.bridge, name="bridge"),
    path("bridge/<slug:key>/<path:rest>", bridges.bridge, name="bridge-rest"),
    path("link/", links.link, name="link"),
    path("link/<str:token>/", links.link_use, name="link-use"),
]
