"""Numbers, applications and subaccounts as their providers report them, to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from phone_numbers.admin.readonly import ReadOnlyAdmin, pretty_json
from phone_numbers.models import Application, PhoneNumber, Subaccount


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ReadOnlyAdmin):
    list_display = (
        "e164",
        "alias",
        "account",
        "number_type",
        "service_names",
        "tendlc_status",
        "presence",
        "changed_at",
    )
    list_filter = ("account", "number_type", "tendlc_status", "toll_free_status", "presence")
    list_select_related = ("account",)
    search_fields = ("e164__contains", "alias__icontains")
    search_help_text = "Digits of the number, or part of its alias."
    fieldsets = (
        (None, {"fields": (("e164", "national"), "alias", ("account", "remote_id"), ("number_type", "service_names"))}),
        ("Place", {"fields": (("country", "region", "city"), ("subaccount", "carrier", "provider_status"))}),
        ("Routes", {"fields": (("voice_kind", "voice_target"), ("message_kind", "message_target"))}),
        (
            "Compliance",
            {
                "fields": (
                    ("tendlc_status", "tendlc_campaign_id", "tendlc_provenance"),
                    "toll_free_status",
                    ("cnam", "cnam_lookup", "e911"),
                )
            },
        ),
        (
            "Cost",
            {
                "fields": (
                    ("monthly_rate", "currency"),
                    ("voice_rate", "sms_rate", "mms_rate"),
                    ("added_on", "renewal_date"),
                )
            },
        ),
        ("Presence", {"fields": (("presence", "presence_since"), ("first_seen_at", "changed_at"))}),
        ("As the provider sent it", {"fields": ("payload_text",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        return super().get_queryset(request).defer("digest")

    def view_on_site(self, obj: PhoneNumber) -> str:
        return reverse("numbers:detail", args=[obj.pk])

    @admin.display(description="services", ordering="service_bits")
    def service_names(self, number: PhoneNumber) -> str:
        return ", ".join(number.services) or "none"

    @admin.display(description="payload")
    def payload_text(self, number: PhoneNumber) -> str:
        return pretty_json(number.payload.body)


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "account", "remote_id", "is_assignable", "is_present")
    list_filter = ("account", "kind", "is_assignable", "is_present")
    list_select_related = ("account",)
    search_fields = ("name__icontains", "remote_id__startswith")
    fields = (
        "name",
        "account",
        "kind",
        "remote_id",
        "subaccount",
        "voice_url",
        "message_url",
        "fallback_url",
        "is_assignable",
        "why_not",
        "is_present",
        "updated_at",
        "payload_text",
    )

    @admin.display(description="as the provider sent it")
    def payload_text(self, application: Application) -> str:
        return pretty_json(application.payload)


@admin.register(Subaccount)
class SubaccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "remote_id", "is_enabled", "is_present")
    list_filter = ("account", "is_enabled", "is_present")
    list_select_related = ("account",)
    search_fields = ("name__icontains", "remote_id__startswith")
