"""The cached numbers. Only what a provider said is written here; a row is never deleted."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from django.db import models

from phone_numbers.models.accounts import Account
from phone_numbers.models.syncs import SyncRun
from phone_numbers.querysets import PhoneNumberQuerySet
from providers.contract import NumberType, Provenance, Route, Service, TenDlcStatus, TollFreeStatus

SERVICE_BITS = {service: 1 << position for position, service in enumerate(Service)}


def service_bits(services: Iterable[Service]) -> int:
    """The services as one small number: a bit each, in the order of `Service`."""
    return sum(SERVICE_BITS[service] for service in set(services))


def choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ").capitalize()) for value in values]


FACETS = ("account", "number_type", "country", "service_bits", "tendlc_status", "toll_free_status", "presence")
FILTERED = ("subaccount", "tendlc_campaign_id", "cnam_lookup")
"""Both with the number behind them in their indexes: the numbers of one value are found in the list's usual order. Of
facets, which many numbers have alike, presence follows: a far page is found in the index alone."""
SORTED = {
    "e164": ("e164",),
    "alias": ("alias",),
    "rate": ("currency", "monthly_rate"),
    "renewal": ("renewal_date",),
    "voice_target": ("voice_target",),
    "message_target": ("message_target",),
}
"""With presence after them, as released numbers are left out: a far page is found in the index alone."""
BESIDE = {"voice_target": ("account", "voice_kind"), "message_target": ("account", "message_kind")}
"""What a route's target means nothing without: who goes there is found in the index alone, too."""


LOCAL = frozenset(("tags", "owner", "cost_centre", "note"))
"""What an installation says of a number itself; no provider knows of it."""


class PhoneNumber(models.Model):
    """A phone number an account holds, as its provider last reported it."""

    local_values: Mapping[str, str] = MappingProxyType({})
    """What only Numberdesk keeps of it, when that was read along; not stored here."""

    class Presence(models.TextChoices):
        PRESENT = "present", "Present"
        UNCONFIRMED = "unconfirmed", "Unconfirmed"
        MISSING = "missing", "Missing"
        RELEASED = "released", "Released"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="numbers", db_index=False)
    remote_id = models.CharField(max_length=100)
    e164 = models.CharField("number", max_length=20)
    national = models.CharField(max_length=32, blank=True, help_text="Nationally formatted, for people.")
    alias = models.CharField(max_length=255, blank=True)
    number_type = models.CharField("type", max_length=12, choices=choices(NumberType), default=NumberType.UNKNOWN)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=120, blank=True)
    subaccount = models.CharField(max_length=100, blank=True)
    carrier = models.CharField(max_length=120, blank=True)
    provider_status = models.CharField(max_length=40, blank=True)
    service_bits = models.PositiveSmallIntegerField(default=0)
    voice_kind = models.CharField(max_length=30, blank=True)
    voice_target = models.CharField(max_length=2048, blank=True)
    message_kind = models.CharField(max_length=30, blank=True)
    message_target = models.CharField(max_length=2048, blank=True)
    tendlc_status = models.CharField(
        "10DLC status", max_length=16, choices=choices(TenDlcStatus), default=TenDlcStatus.UNKNOWN
    )
    tendlc_campaign_id = models.CharField("10DLC campaign", max_length=100, blank=True)
    tendlc_provenance = models.CharField(max_length=10, choices=choices(Provenance), default=Provenance.REPORTED)
    toll_free_status = models.CharField(
        "toll-free verification",
        max_length=16,
        choices=choices(TollFreeStatus),
        default=TollFreeStatus.UNKNOWN,
    )
    monthly_rate = models.DecimalField(max_digits=12, decimal_places=5, null=True, blank=True)
    sms_rate = models.DecimalField(max_digits=12, decimal_places=5, null=True, blank=True)
    mms_rate = models.DecimalField(max_digits=12, decimal_places=5, null=True, blank=True)
    voice_rate = models.DecimalField(max_digits=12, decimal_places=5, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    added_on = models.DateField(null=True, blank=True)
    renewal_date = models.DateField(null=True, blank=True)
    cnam = models.CharField("CNAM", max_length=80, blank=True)
    cnam_lookup = models.CharField("CNAM lookup", max_length=20, blank=True)
    e911 = models.CharField("E911", max_length=40, blank=True)
    presence = models.CharField(max_length=12, choices=Presence, default=Presence.PRESENT)
    presence_since = models.DateTimeField(null=True, blank=True, help_text="When presence last changed.")
    digest = models.CharField(
        max_length=32, default="", editable=False, help_text="Of everything the provider said, to find what changed."
    )
    edited_seq = models.BigIntegerField(
        default=0, help_text="Sequence of the last edit sent or settled; older readings do not overwrite the row."
    )
    first_seen_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True, help_text="When the cache last took a new value.")

    objects = PhoneNumberQuerySet.as_manager()

    class Meta:
        ordering = ["e164", "pk"]
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="number_once_per_account")]
        indexes = [
            *(
                models.Index(fields=[*names, "id", "presence", *BESIDE.get(key, ())], name=f"number_by_{key}")
                for key, names in SORTED.items()
            ),
            *(
                models.Index(
                    fields=list(dict.fromkeys([name, "e164", "id", *(["presence"] if name in FACETS else [])])),
                    name=f"number_by_{name}"[:30],
                )
                for name in (*FACETS, *FILTERED)
            ),
        ]

    def __str__(self) -> str:
        return self.e164

    @property
    def services(self) -> list[Service]:
        """In fixed order."""
        return [service for service, bit in SERVICE_BITS.items() if self.service_bits & bit]

    @property
    def voice(self) -> Route:
        return Route(kind=self.voice_kind, target=self.voice_target)

    @property
    def messages(self) -> Route:
        return Route(kind=self.message_kind, target=self.message_target)

    @property
    def extras(self) -> dict[str, str]:
        """Settings only this provider has; costs a query unless `payload` was selected along."""
        return self.payload.extras if hasattr(self, "payload") else {}

    def value(self, name: str) -> str:
        """The cached value of an editable field, in the form an edit uses."""
        if name in LOCAL:
            return self.local_values.get(name, "")
        if name in ("voice", "messages"):
            route: Route = getattr(self, name)
            return route.key
        return str(self.extras.get(name, getattr(self, name, "")))


class NumberPayload(models.Model):
    """The provider's own row, apart from the number so that the table lists scan stays narrow."""

    number = models.OneToOneField(PhoneNumber, on_delete=models.CASCADE, primary_key=True, related_name="payload")
    body = models.JSONField(default=dict)
    extras = models.JSONField(default=dict, help_text="Settings only this provider has, name to value.")
    shadowed = models.JSONField(default=dict, help_text="Route keys that are set but ignored, by voice and messages.")

    def __str__(self) -> str:
        return f"payload of {self.pk}"


class HeldNumber(models.Model):
    """A number that a held run's listing lacks: what a person is asked to look at."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="held_numbers")
    number = models.ForeignKey(PhoneNumber, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="number_held_once_per_run")]

    def __str__(self) -> str:
        return f"{self.number_id} in {self.run_id}"
