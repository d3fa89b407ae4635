"""The tokens of devices are kept in memory with the settings: one that ends raises the epoch, so that no web process
takes a scan by it any more."""

from django.db import migrations

RAISE = """
CREATE TRIGGER device_raises_epoch AFTER UPDATE OF active, token_hash ON accounts_device
    FOR EACH STATEMENT EXECUTE FUNCTION plant_raise_epoch();
"""
LOWER = "DROP TRIGGER device_raises_epoch ON accounts_device;"


class Migration(migrations.Migration):
    dependencies = [("plant", "0014_routes_and_their_stops"), ("accounts", "0005_languages")]
    operations = [migrations.RunSQL(RAISE, LOWER)]
