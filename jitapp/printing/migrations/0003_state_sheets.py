"""State sheets for when nothing can be scanned, and what was written on them as it is entered afterwards."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import jitapp.accounts.models


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0015_ended_tokens_raise_the_epoch"),
        ("printing", "0002_prints_of_devices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PaperMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uuid",
                    models.UUIDField(
                        default=jitapp.accounts.models.new_uuid,
                        help_text="the line; made by the page",
                        unique=True,
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("day", models.CharField(blank=True, max_length=20)),
                ("time", models.CharField(blank=True, max_length=20)),
                ("code", models.CharField(blank=True, max_length=200)),
                ("what", models.CharField(blank=True, max_length=20)),
                ("quantity", models.CharField(blank=True, max_length=40)),
                ("by", models.CharField(blank=True, max_length=120)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("changed_at", models.DateTimeField()),
                ("scan_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("outcome", models.CharField(blank=True, max_length=8)),
                ("message", models.TextField(blank=True, help_text="the answer of the rules")),
                (
                    "booked_at",
                    models.DateTimeField(
                        blank=True, help_text="empty: still to be booked, or refused", null=True
                    ),
                ),
                (
                    "area",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="paper_moves",
                        to="plant.area",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("booked_at__isnull", True)),
                        fields=["area", "person", "position"],
                        name="paper_move_open",
                    ),
                    models.Index(fields=["area", "-booked_at"], name="paper_move_booked"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StateSheet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField(help_text="the beginning of the hour")),
                ("number", models.PositiveIntegerField(help_text="counts the sheets of the area")),
                ("claimed_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("language", models.CharField(blank=True, max_length=10)),
                ("paper", models.CharField(blank=True, max_length=10)),
                ("pages", models.PositiveIntegerField(default=0)),
                ("loops", models.PositiveIntegerField(default=0)),
                ("name", models.CharField(blank=True, help_text="of the file", max_length=160)),
                ("pdf", models.BinaryField(blank=True, null=True)),
                ("problem", models.TextField(blank=True, help_text="why it could not be made")),
                (
                    "filed_at",
                    models.DateTimeField(
                        blank=True, help_text="when it lay in the printer folder", null=True
                    ),
                ),
                ("folder_problem", models.TextField(blank=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("mail_problem", models.TextField(blank=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                (
                    "try_at",
                    models.DateTimeField(
                        blank=True, help_text="when handing it out is tried; empty: never again", null=True
                    ),
                ),
                (
                    "area",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="state_sheets",
                        to="plant.area",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("area", "hour"), name="state_sheet_once")
                ],
            },
        ),
    ]
