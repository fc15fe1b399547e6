from django.apps import AppConfig


class TiersConfig(AppConfig):
    name = "tierdesk.response.tiers"
    label = "tiers"
