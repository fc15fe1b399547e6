"""The design system as a Django application."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Components, styles and behaviours shared by every face."""

    name = "tierdesk.web.ui"
    label = "ui"
