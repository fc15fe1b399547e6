from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    name = "tierdesk.response.runbooks"
    label = "runbooks"
