from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "tierdesk.web.api"
    label = "api"
