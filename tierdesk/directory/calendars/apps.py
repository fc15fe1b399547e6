from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "tierdesk.directory.calendars"
    label = "calendars"
