"""What one would use without us: Django's admin changelist of the same table, with and without its facets."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import include, path

from phone_numbers.models import PhoneNumber

SHOWN = ("e164", "alias", "account", "number_type", "service_bits", "voice_target", "message_target", "tendlc_status")
SHOWN += ("toll_free_status", "monthly_rate", "renewal_date", "presence")
FILTERED = ("account", "number_type", "country", "service_bits", "tendlc_status", "toll_free_status", "presence")
FLOOR = Engine().from_string(
    "<table>{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}</table>"
)


class Plain(admin.ModelAdmin):
    list_display = SHOWN
    list_filter = FILTERED
    list_per_page = 50
    list_select_related = ("account",)
    search_fields = ("e164", "alias", "tendlc_campaign_id", "voice_target")
    show_facets = admin.ShowFacets.NEVER


class Faceted(Plain):
    show_facets = admin.ShowFacets.ALWAYS


def site(name: str, options: type[admin.ModelAdmin]) -> admin.AdminSite:
    made = admin.AdminSite(name)
    made.register(PhoneNumber, options)
    return made


def floor(_: HttpRequest) -> HttpResponse:
    """One indexed query and a bare template: as little as a page of fifty rows can be."""
    rows = PhoneNumber.objects.order_by("e164", "pk").values_list(*SHOWN)[:50]
    return HttpResponse(FLOOR.render(Context({"rows": rows})))


urlpatterns = [
    path("plain/", site("plain", Plain).urls),
    path("faceted/", site("faceted", Faceted).urls),
    path("floor/", floor),
    path("", include("dashboard.urls")),
]
