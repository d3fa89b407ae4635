"""Words that a plant or one of its areas has in place of the house's, by language (jitapp/plant/wording)."""

from django.db import migrations, models
from django.db.models import Value


def _words() -> "models.JSONField":
    return models.JSONField(
        blank=True,
        db_default=Value({}, models.JSONField()),
        default=dict,
        help_text="words in place of ours, by language and term (docs/words.md)",
    )


class Migration(migrations.Migration):
    dependencies = [("plant", "0017_who_changed_master_data")]
    operations = [
        migrations.AddField("plant", "words", _words()),
        migrations.AddField("area", "words", _words()),
    ]
