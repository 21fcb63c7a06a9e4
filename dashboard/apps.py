from django.apps import AppConfig
from django.core.checks import register

from dashboard import checks


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        register(checks.credentials_keys)
        register(checks.demo_is_local)
