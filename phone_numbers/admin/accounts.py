"""Accounts: connect one, set its rhythm, test it. Credentials go in and never come out."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters

from phone_numbers.admin.account_forms import (
    CLEARED,
    TYPED,
    AccountForm,
    account_form,
    credential_inputs,
    credentials_sentence,
    needs_credentials,
)
from phone_numbers.admin.account_tools import AccountTools
from phone_numbers.models import Account, PhoneNumber
from phone_numbers.services.accounts import set_credentials
from phone_numbers.templatetags.display import provider_title
from providers.registry import PROVIDERS

HOLD_SENTENCE = (
    "A sync whose list lacks more numbers than both limits allow changes nothing until a person has looked. "
    "One that lists nothing at all is always held."
)


def chosen_provider(request: HttpRequest) -> str:
    """The kind named in the address, the only one there is, or ""."""
    kind = request.GET.get("provider", next(iter(PROVIDERS)) if len(PROVIDERS) == 1 else "")
    return kind if kind in PROVIDERS else ""


def numbers_held() -> Subquery:
    held = PhoneNumber.objects.held().filter(account=OuterRef("pk")).order_by().values("account")
    return Subquery(held.annotate(count=Count("pk")).values("count"), output_field=IntegerField())


@admin.register(Account)
class AccountAdmin(AccountTools):
    list_display = (
        "name",
        "provider_name",
        "state",
        "numbers_count",
        "sync_interval_seconds",
        "is_paused",
        "last_read",
        "next_sync",
    )
    list_editable = ("sync_interval_seconds", "is_paused")
    search_fields = ("name", "remote_id")
    choose_template = "admin/numbers/account/choose_provider.html"
    readonly_fields = ("provider_name", "state", "remote_id", "numbers_count", "last_read", "next_sync")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        accounts: QuerySet[Account] = super().get_queryset(request)
        return accounts.annotate(held=Coalesce(numbers_held(), 0))

    @admin.display(description="provider", ordering="provider")
    def provider_name(self, account: Account) -> str:
        title = provider_title(account.provider)
        return format_html('{} <span class="badge">demo</span>', title) if account.is_demo else title

    @admin.display(description="state", ordering="health")
    def state(self, account: Account) -> str:
        if needs_credentials(account):
            return "Re-enter the credentials"
        label, detail = account.get_health_display(), account.health_detail
        return format_html("<strong>{}</strong><br>{}", label, detail) if detail else label

    @admin.display(description="numbers", ordering="held")
    def numbers_count(self, account: Any) -> int:
        return int(account.held)

    @admin.display(description="last read", ordering="fresh_at")
    def last_read(self, account: Account) -> str:
        return naturaltime(account.fresh_at) if account.fresh_at else "never"

    @admin.display(description="next sync", ordering="next_sync_at")
    def next_sync(self, account: Account) -> str:
        if account.is_paused:
            return "paused"
        return "due" if account.next_sync_at <= timezone.now() else naturaltime(account.next_sync_at)

    def get_form(
        self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        kwargs["form"] = account_form(obj or Account(provider=chosen_provider(request)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        account = obj or Account(provider=chosen_provider(request))
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        inputs = list(credential_inputs(account)) if may_write else []
        known, read = (("state", "remote_id"), ("last_read", "next_sync", "numbers_count")) if obj else ((), ())
        return [
            (None, {"fields": ("name", "provider_name", *known)}),
            ("Credentials", {"fields": inputs, "description": credentials_sentence(account)}),
            ("Sync", {"fields": ("sync_interval_seconds", "is_paused", *read)}),
            ("Held syncs", {"fields": ("hold_minimum", "hold_percent"), "description": HOLD_SENTENCE}),
        ]

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if chosen_provider(request) or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        titles = {kind: provider.title for kind, provider in PROVIDERS.items()}
        context = {**self.admin_site.each_context(request), "title": "Add account", "titles": titles}
        return TemplateResponse(request, self.choose_template, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_test"] = self.has_test_permission(request)
        context["may_sync"] = self.has_sync_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Write only what was edited: a worker may be writing the rest of the row."""
        edited = [name for name in form.changed_data if not name.startswith((TYPED, CLEARED))]
        if change and "sync_interval_seconds" in edited:
            obj.next_sync_at = max(timezone.now(), (obj.fresh_at or timezone.now()) + obj.interval)
            edited.append("next_sync_at")
        obj.save(update_fields=edited if change else None)
        if isinstance(form, AccountForm) and (credentials := form.new_credentials()) is not None:
            set_credentials(obj, credentials)

    def get_actions(self, request: HttpRequest) -> Any:
        """Accounts are deleted one by one, so that each refusal can say why."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        account = self.get_object(request, object_id)
        count = account.numbers.count() if account else 0
        if not count or not self.has_delete_permission(request, account):
            return super().delete_view(request, object_id, extra_context)
        refusal = (
            f"{account} still holds numbers ({count:,}) whose history would be lost. Pause it instead of deleting it."
        )
        messages.error(request, refusal)
        return redirect("admin:numbers_account_change", object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Whoever may delete an account may delete the runs and applications that are part of it."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected
