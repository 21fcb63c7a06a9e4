"""The groups viewer, operator and admin."""

from django.db import migrations

from phone_numbers.roles import ROLES, grant_roles


def add_groups(apps, schema_editor):
    grant_roles(schema_editor.connection.alias)


def remove_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("numbers", "0001_initial"),
    ]

    operations = [migrations.RunPython(add_groups, remove_groups)]
