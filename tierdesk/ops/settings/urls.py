"""The addresses of the settings pages."""

from __future__ import annotations

from django.urls import path

from tierdesk.ops.settings import bridges, desk_file, guides, health, mail, pointing, views, what_if

app_name = "settings"

urlpatterns = [
    path("", views.home, name="home"),
    path("check/", views.check, name="check"),
    path("desk/", desk_file.desk_file, name="file"),
    path("desk/desk.yaml", desk_file.download, name="download"),
    path("what-if/", what_if.whatif, name="whatif"),
    path("channels/", health.channels, name="channels"),
    path("mail/", mail.mailboxes, name="mail"),
    path("mail/permission/", mail.permission, name="permission"),
    path("mail/<int:pk>/", mail.mailbox, name="mailbox"),
    path("mail/<int:pk>/trial/", mail.trial, name="mailbox-trial"),
    path("bridges/", bridges.bridges, name="bridges"),
    path("bridges/<int:pk>/trial/", bridges.trial, name="bridge-trial"),
    path("pointed-here/<int:pk>/", guides.pointed_here, name="pointed-here"),
    path("senders/<str:name>/", guides.sender_file, name="sender-file"),
    path("mapping/<int:pk>/", pointing.mapping, name="mapping"),
    path("new/<slug:name>/", views.new, name="new"),
    path("<slug:name>/", views.section, name="section"),
    path("<slug:name>/<str:slug>/", views.thing, name="thing"),
]
