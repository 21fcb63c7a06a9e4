"""What the admin site shows but never writes: rows that only syncs and changes may touch."""

import json
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html


class ReadOnly:
    """Without a way to add, change or delete, for pages and inlines."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """Quick on a million rows."""

    actions = None
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False


def pretty_json(value: Any) -> str:
    return format_html('<pre class="payload">{}</pre>', json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))
