"""The ledger and the receipts refuse DELETE and TRUNCATE, the ledger UPDATE too (rule C11), in the database itself.

A receipt may only be marked as settled; nothing else of it ever changes. Cards leave room on their pages so that
their frequent updates stay on the page (HOT).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION pull_grows_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: it only grows; write a correcting entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_grows_only BEFORE UPDATE OR DELETE ON pull_event
    FOR EACH ROW EXECUTE FUNCTION pull_grows_only();
CREATE TRIGGER event_not_truncated BEFORE TRUNCATE ON pull_event
    FOR EACH STATEMENT EXECUTE FUNCTION pull_grows_only();
CREATE TRIGGER receipt_not_deleted BEFORE DELETE ON pull_receipt
    FOR EACH ROW EXECUTE FUNCTION pull_grows_only();
CREATE TRIGGER receipt_not_truncated BEFORE TRUNCATE ON pull_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION pull_grows_only();
CREATE TRIGGER receipt_only_settled BEFORE UPDATE ON pull_receipt
    FOR EACH ROW WHEN (ROW(OLD.scan_id, OLD.fingerprint, OLD.raw, OLD.outcome, OLD.code, OLD.answer,
                           OLD.occurred_at, OLD.recorded_at, OLD.card_id)
        IS DISTINCT FROM ROW(NEW.scan_id, NEW.fingerprint, NEW.raw, NEW.outcome, NEW.code, NEW.answer,
                           NEW.occurred_at, NEW.recorded_at, NEW.card_id))
    EXECUTE FUNCTION pull_grows_only();
ALTER TABLE pull_card SET (fillfactor = 70);
ALTER TABLE pull_turn SET (fillfactor = 80);
ALTER TABLE pull_loopstate SET (fillfactor = 50);
ALTER TABLE outbox_message SET (autovacuum_vacuum_scale_factor = 0.02);
"""
BACKWARD = """
DROP TRIGGER receipt_only_settled ON pull_receipt;
DROP TRIGGER receipt_not_truncated ON pull_receipt;
DROP TRIGGER receipt_not_deleted ON pull_receipt;
DROP TRIGGER event_not_truncated ON pull_event;
DROP TRIGGER event_grows_only ON pull_event;
DROP FUNCTION pull_grows_only();
"""


class Migration(migrations.Migration):
    dependencies = [("pull", "0001_initial"), ("outbox", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
