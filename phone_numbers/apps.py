from django.apps import AppConfig


class PhoneNumbersConfig(AppConfig):
    name = "phone_numbers"
    label = "numbers"
    verbose_name = "Phone numbers"
