from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "tierdesk.directory.staff"
    label = "staff"
