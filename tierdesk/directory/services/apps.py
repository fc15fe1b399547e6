from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "tierdesk.directory.services"
    label = "services"
