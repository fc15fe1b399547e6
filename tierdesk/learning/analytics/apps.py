from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "tierdesk.learning.analytics"
    label = "analytics"
