"""The admin site, entered by the dashboard's own door."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


class DashboardAdminSite(AdminSite):
    site_title = "Numberdesk administration"
    site_header = "Numberdesk administration"
    index_title = "Administration"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied("The administration is open to users with staff status; yours does not have it.")
        wanted = request.GET.get("next", reverse("admin:index"))
        return redirect(reverse("login", query={"next": wanted}))


class DashboardAdminConfig(AdminConfig):
    default_site = "dashboard.admin_site.DashboardAdminSite"
