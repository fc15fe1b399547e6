from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "tierdesk.directory.clients"
    label = "clients"
