from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "tierdesk.web.portal"
    label = "portal"
