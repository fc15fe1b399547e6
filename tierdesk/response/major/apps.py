from django.apps import AppConfig


class MajorConfig(AppConfig):
    name = "tierdesk.response.major"
    label = "major"
