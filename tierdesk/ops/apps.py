from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "tierdesk.ops"
    label = "ops"
