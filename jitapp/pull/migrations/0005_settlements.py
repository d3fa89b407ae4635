"""Settlements stand beside receipts; like the ledger they only grow (the triggers' function is that of 0002)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER settlement_grows_only BEFORE UPDATE OR DELETE ON pull_settlement
    FOR EACH ROW EXECUTE FUNCTION pull_grows_only();
CREATE TRIGGER settlement_not_truncated BEFORE TRUNCATE ON pull_settlement
    FOR EACH STATEMENT EXECUTE FUNCTION pull_grows_only();
"""
BACKWARD = """
DROP TRIGGER settlement_not_truncated ON pull_settlement;
DROP TRIGGER settlement_grows_only ON pull_settlement;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("plant", "0005_who_comes_and_who_receives"),
        ("pull", "0004_a_turn_may_fail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(help_text="the request; the same again gets the first answer")),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("discarded", "Discarded"),
                            ("assigned", "Assigned"),
                        ],
                        max_length=9,
                    ),
                ),
                ("intent", models.CharField(blank=True, max_length=20)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("scan_id", models.UUIDField(blank=True, null=True)),
                ("settled_at", models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(
                    ("settled_at__isnull", True),
                    models.Q(("outcome", "parked"), ("code", "unknown_card"), _connector="OR"),
                ),
                fields=["recorded_at"],
                name="receipt_waiting",
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="card",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pull.card",
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="device",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.device",
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="receipt",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="settlement", to="pull.receipt"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("how", "accepted"), ("scan_id__isnull", False)),
                    models.Q(("card__isnull", False), ("how", "assigned")),
                    models.Q(("how", "discarded"), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="settlement_says_how",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
