"""The pages of the inventory. URL `numbers:<noun>_<verb>` is view `<noun>_<verb>`."""

app_name = "numbers"
urlpatterns = []
