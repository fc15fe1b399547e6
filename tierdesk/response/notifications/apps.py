from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "tierdesk.response.notifications"
    label = "notifications"
