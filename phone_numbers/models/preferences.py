"""How each person wants the list to look."""

from django.conf import settings
from django.db import models

LONGEST_NAME = 60


class ListPreferences(models.Model):
    """Of one person; without a row everything is as it comes."""

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        COMPACT = "compact", "Compact"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="list_preferences"
    )
    columns = models.JSONField(default=list, blank=True, help_text="Keys in order; empty for the usual ones.")
    density = models.CharField(max_length=12, choices=Density, default=Density.COMFORTABLE)

    default_view = models.ForeignKey(
        "SavedView",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Opens with the list.",
    )

    class Meta:
        verbose_name_plural = "list preferences"

    def __str__(self) -> str:
        return f"list preferences of {self.pk}"


class SavedView(models.Model):
    """Filters, sorting and columns of the list under a name. Holds no numbers: it shows what its reader may see."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.TextField(help_text="As in the list's address.")
    is_shared = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_named_once_per_person")]

    def __str__(self) -> str:
        return self.name
