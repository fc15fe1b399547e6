from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "tierdesk.response.triage"
    label = "triage"
