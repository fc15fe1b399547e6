from django.apps import AppConfig


class ProblemsConfig(AppConfig):
    name = "tierdesk.learning.problems"
    label = "problems"
