from django.apps import AppConfig


class ShiftsConfig(AppConfig):
    name = "tierdesk.response.shifts"
    label = "shifts"
