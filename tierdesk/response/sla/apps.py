from django.apps import AppConfig


class SlaConfig(AppConfig):
    name = "tierdesk.response.sla"
    label = "sla"
