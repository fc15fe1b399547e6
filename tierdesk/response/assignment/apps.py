from django.apps import AppConfig


class AssignmentConfig(AppConfig):
    name = "tierdesk.response.assignment"
    label = "assignment"
