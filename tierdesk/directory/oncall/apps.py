from django.apps import AppConfig


class OncallConfig(AppConfig):
    name = "tierdesk.directory.oncall"
    label = "oncall"
