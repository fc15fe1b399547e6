from django.apps import AppConfig


class EmailConfig(AppConfig):
    name = "tierdesk.channels.email"
    label = "email"
