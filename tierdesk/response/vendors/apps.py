from django.apps import AppConfig


class VendorsConfig(AppConfig):
    name = "tierdesk.response.vendors"
    label = "vendors"
