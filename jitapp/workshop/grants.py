"""What the application's database role may do, table by table; everything else is its owner's.

The ledger's triggers refuse changes to whoever speaks through the application; that the application cannot take the
triggers away is what a role of its own is for (docs/operations.md, Two roles). The owner grants after each migration.
A right that is missing here is found by the tests: they run as a role that has these rights and no others.
"""

from __future__ import annotations

from typing import Any

from psycopg2 import sql

USUAL = ("SELECT", "INSERT", "UPDATE")
ONLY_GROWS = ("SELECT", "INSERT")
READ = ("SELECT",)

NARROWER = {
    "plant_demonstration": READ,  # which plant may be removed is said by the owner
    "plant_masterchange": ONLY_GROWS,
    "pull_event": ONLY_GROWS,
    "pull_settlement": ONLY_GROWS,
    "pull_handover": ONLY_GROWS,
    "pull_handoversignature": ONLY_GROWS,
    "pull_history": ONLY_GROWS,
    "pull_receipt": (*ONLY_GROWS, "UPDATE (settled_at)"),
    # What migrations write.
    "auth_permission": READ,
    "django_content_type": READ,
    "django_migrations": READ,
}
DELETED_FROM = frozenset(
    {
        "accounts_lessondone",
        "accounts_person_groups",
        "accounts_person_user_permissions",
        "accounts_wrongtries",
        "api_keptanswer",
        "auth_group",
        "auth_group_permissions",
        "django_session",
        "outbox_message",
        "plant_billofmaterials",
        "plant_enrolment",
        "plant_membership",
        "plant_routestop",
        "plant_standardwork",
        "printing_papermove",
        "printing_partpicture",
        "printing_statesheet",
        "tags_alarm",
        "tags_sighting",
        "tags_tag",
        "tags_visit",
        "plant_unknownbadge",
        "pull_loopsnapshot",
        "pull_missingscans",
    }
)
SEQUENCES = {"plant_epoch_number": ("SELECT", "USAGE", "UPDATE")}  # raised by triggers, and by a new era
# May be called by the application and by nobody else but the owner, with whose rights they run (functions.py).
FUNCTIONS = ("plant_end_demonstration(bigint, text)",)

# relacl of a relation nobody was granted anything is null, which gives no rows.
_HELD = """
SELECT c.relname::text, c.relkind::text, coalesce(array_agg(h.held) FILTER (WHERE h.held IS NOT NULL), '{}')
FROM pg_roles r CROSS JOIN pg_class c LEFT JOIN LATERAL (
    SELECT a.privilege_type FROM aclexplode(c.relacl) a WHERE a.grantee = r.oid
    UNION ALL
    SELECT a.privilege_type || ' (' || t.attname || ')' FROM pg_attribute t, aclexplode(t.attacl) a
    WHERE t.attrelid = c.oid AND a.grantee = r.oid
) h (held) ON true
WHERE r.rolname = %s AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
GROUP BY c.oid, c.relname, c.relkind ORDER BY c.relname
"""
# A table that the next migration makes is the application's to use at once; `grant` then says exactly how.
_SCHEMA = """
GRANT USAGE ON SCHEMA public TO {0};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO {0};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO {0};
"""


def wanted(relation: str, kind: str) -> frozenset[str]:
    """The application's rights to a table (kind `r` or `p`), view (`v`) or sequence (`S`)."""
    if kind == "v":
        return frozenset(READ)
    if kind == "S":
        return frozenset(SEQUENCES.get(relation, READ))  # a backup reads where each sequence stands
    usual = frozenset(NARROWER.get(relation, USUAL))
    return usual | {"DELETE"} if relation in DELETED_FROM else usual


def differences(database: Any, application: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """(held, wanted) of each relation where they are not the same."""
    database.execute(_HELD, (application,))
    return {
        name: (frozenset(held), wanted(name, kind))
        for name, kind, held in database.fetchall()
        if frozenset(held) != wanted(name, kind)
    }


def grant(database: Any, application: str) -> None:
    """Grants what is missing and takes away what is too much, as the owner. To be called in a transaction, so that
    nobody sees a table meanwhile to which the application has no rights."""
    role = sql.Identifier(application)
    database.execute(sql.SQL(_SCHEMA).format(role, rights=sql.SQL(", ".join(USUAL))))
    for name, (held, rights) in differences(database, application).items():
        relation = sql.Identifier(name)
        if held - rights:
            database.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(relation, role))
        if rights:
            listed = sql.SQL(", ".join(sorted(rights)))
            database.execute(sql.SQL("GRANT {} ON {} TO {}").format(listed, relation, role))
    for signature in FUNCTIONS:
        database.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(signature), role))


def for_now(application: str) -> str:
    """SQL that lets the application go on with tables that were just made, until `grant` is called: more than it
    needs, but the triggers are not its own."""
    role = '"' + application.replace('"', '""') + '"'
    return (
        f"GRANT USAGE ON SCHEMA public TO {role};\n"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};\n"
        f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role};\n"
    )
