from django.apps import AppConfig


class WaitingConfig(AppConfig):
    name = "tierdesk.response.waiting"
    label = "waiting"
