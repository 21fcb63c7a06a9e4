"""What can be done with an account at once: test its connection, sync it now, forget the provider's account id."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from phone_numbers.admin.users import actor
from phone_numbers.models import Account, SyncRun
from phone_numbers.services.accounts import test_connection
from phone_numbers.services.runs import request_sync
from phone_numbers.tasks import ring, sync_account


def report_connection(request: HttpRequest, account: Account) -> None:
    report = test_connection(account)
    level = messages.SUCCESS if report.ok else messages.ERROR
    messages.add_message(request, level, f"{account}: {report.sentence}")


def start_sync(request: HttpRequest, account: Account) -> None:
    """Ask for a run, or find the one that is live already."""
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON, user=actor(request))
    ring(sync_account, run.pk)
    messages.success(request, f"{account}: {run} is {run.get_state_display().lower()}.")


class AccountTools(admin.ModelAdmin):
    """The buttons of an account's page, and the same as actions of the list."""

    actions = ("test_selected", "sync_selected")
    forget_template = "admin/numbers/account/forget_remote_id.html"

    def has_test_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("numbers.change_account")

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("numbers.add_syncrun")

    @admin.action(description="Test connection", permissions=["test"])
    def test_selected(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            report_connection(request, account)

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_selected(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            start_sync(request, account)

    def get_urls(self) -> list[URLPattern]:
        def button(act: Callable[[HttpRequest, Account], None], allowed: Callable[[HttpRequest], bool]) -> Any:
            return require_POST(self.admin_site.admin_view(self.press(act, allowed)))

        return [
            path("<int:pk>/test/", button(report_connection, self.has_test_permission), name="numbers_account_test"),
            path("<int:pk>/sync/", button(start_sync, self.has_sync_permission), name="numbers_account_sync"),
            path("<int:pk>/forget/", self.admin_site.admin_view(self.forget_view), name="numbers_account_forget"),
            *super().get_urls(),
        ]

    def press(
        self, act: Callable[[HttpRequest, Account], None], allowed: Callable[[HttpRequest], bool]
    ) -> Callable[..., HttpResponse]:
        """A view that does one thing with one account and goes back to its page."""

        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if not allowed(request):
                raise PermissionDenied
            act(request, get_object_or_404(Account, pk=pk))
            return redirect("admin:numbers_account_change", pk)

        return view

    def forget_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let the next contact decide anew which account this is. Asks first; for superusers only."""
        if not request.user.is_superuser:
            raise PermissionDenied
        account = get_object_or_404(Account, pk=pk)
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "opts": self.opts, "account": account}
            return TemplateResponse(
                request, self.forget_template, {**context, "title": "Forget the provider's account id"}
            )
        Account.objects.filter(pk=pk).update(remote_id="")
        self.log_change(request, account, f"Forgot the provider's account id {account.remote_id}.")
        messages.success(request, f"{account}: the next contact with the provider stores its account id anew.")
        return redirect("admin:numbers_account_change", pk)
