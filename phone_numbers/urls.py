"""The pages of the inventory. URL `numbers:edit` is view `number_edit`; other nouns stand in the name."""

from django.urls import path

from phone_numbers.views import (
    accounts,
    cells,
    change_sets,
    changes,
    details,
    freshness,
    local_fields,
    numbers,
    providers,
    syncs,
)

app_name = "numbers"
urlpatterns = [
    path("numbers/", numbers.number_list, name="list"),
    path("numbers/<int:pk>/", details.number_detail, name="detail"),
    path("numbers/<int:pk>/edit/", details.number_edit, name="edit"),
    path("numbers/<int:pk>/refresh/", details.number_refresh, name="refresh"),
    path("numbers/<int:pk>/local/", local_fields.local_edit, name="local_edit"),
    path("numbers/<int:pk>/notes/", local_fields.note_add, name="note_add"),
    path("numbers/<int:pk>/notes/<int:note>/withdraw/", local_fields.note_withdraw, name="note_withdraw"),
    path("numbers/<int:pk>/<slug:field>/", cells.cell_show, name="cell"),
    path("numbers/<int:pk>/<slug:field>/edit/", cells.cell_edit, name="cell_edit"),
    path("changes/", changes.change_list, name="change_list"),
    path("changes/<int:pk>/", changes.change_state, name="change_state"),
    path("providers/", providers.provider_list, name="provider_list"),
    path("changes/plans/", change_sets.change_set_list, name="change_set_list"),
    path("changes/plans/new/", change_sets.change_set_new, name="change_set_new"),
    path("changes/plans/make/", change_sets.change_set_plan, name="change_set_plan"),
    path("changes/plans/<uuid:pk>/", change_sets.change_set_detail, name="change_set_detail"),
    path("changes/plans/<uuid:pk>/apply/", change_sets.change_set_apply, name="change_set_apply"),
    path("changes/plans/<uuid:pk>/again/", change_sets.change_set_again, name="change_set_again"),
    path("changes/plans/<uuid:pk>/discard/", change_sets.change_set_discard, name="change_set_discard"),
    path("changes/plans/<uuid:pk>/pause/", change_sets.change_set_pause, name="change_set_pause"),
    path("changes/plans/<uuid:pk>/resume/", change_sets.change_set_resume, name="change_set_resume"),
    path("changes/plans/<uuid:pk>/cancel/", change_sets.change_set_cancel, name="change_set_cancel"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/freshness/", freshness.account_freshness, name="account_freshness"),
    path("accounts/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("accounts/<int:pk>/sync/", accounts.account_sync, name="account_sync"),
    path("accounts/<int:pk>/progress/", accounts.account_progress, name="account_progress"),
    path("accounts/<int:pk>/test/", accounts.account_test, name="account_test"),
    path("accounts/<int:pk>/pause/", accounts.account_pause, name="account_pause"),
    path("syncs/", syncs.sync_list, name="sync_list"),
    path("syncs/<int:pk>/", syncs.sync_detail, name="sync_detail"),
    path("syncs/<int:pk>/accept/", syncs.sync_accept, name="sync_accept"),
    path("syncs/<int:pk>/dismiss/", syncs.sync_dismiss, name="sync_dismiss"),
]
