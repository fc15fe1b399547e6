from django.apps import AppConfig


class AlarmsConfig(AppConfig):
    name = "tierdesk.channels.alarms"
    label = "alarms"
