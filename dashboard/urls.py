"""Every address of the site; the pages of phone numbers are in `phone_numbers.urls`."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.generic import RedirectView

from dashboard.health import healthz, livez
from dashboard.sign_in import SignInView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="numbers:list"), name="home"),
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("livez", livez, name="livez"),
    path("admin/", admin.site.urls),
    path("", include("phone_numbers.urls")),
]
