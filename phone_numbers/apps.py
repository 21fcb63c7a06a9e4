from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class PhoneNumbersConfig(AppConfig):
    name = "phone_numbers"
    label = "numbers"
    verbose_name = "Phone numbers"

    def ready(self) -> None:
        from phone_numbers.services import bookkeeping, history_guard  # noqa: PLC0415 - models can be imported from here on

        pre_migrate.connect(history_guard.lift, sender=self)
        post_migrate.connect(bookkeeping.install, sender=self)
        post_migrate.connect(history_guard.install, sender=self)
