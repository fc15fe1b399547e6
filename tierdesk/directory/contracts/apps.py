from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "tierdesk.directory.contracts"
    label = "contracts"
