"""The pages of the inventory. URL `numbers:edit` is view `number_edit`; other nouns stand in the name."""

from django.urls import path

from phone_numbers.views import accounts, cells, changes, details, numbers

app_name = "numbers"
urlpatterns = [
    path("numbers/", numbers.number_list, name="list"),
    path("numbers/<int:pk>/", details.number_detail, name="detail"),
    path("numbers/<int:pk>/edit/", details.number_edit, name="edit"),
    path("numbers/<int:pk>/<slug:field>/", cells.cell_show, name="cell"),
    path("numbers/<int:pk>/<slug:field>/edit/", cells.cell_edit, name="cell_edit"),
    path("changes/", changes.change_list, name="change_list"),
    path("changes/<int:pk>/", changes.change_state, name="change_state"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("accounts/<int:pk>/sync/", accounts.account_sync, name="account_sync"),
    path("accounts/<int:pk>/progress/", accounts.account_progress, name="account_progress"),
]
