from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "tierdesk.web.workspace"
    label = "workspace"
