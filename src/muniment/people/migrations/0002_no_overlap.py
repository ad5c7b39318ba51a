"""The database itself refuses two rows that would hold at one moment: a role twice, two line managers of a person,
two holders of an address. PostgreSQL by exclusion constraints, SQLite by triggers.

A later migration that changes one of these tables makes SQLite copy it, which loses its triggers: it must run
`make` again. A test inserts overlapping rows and would notice.
"""

from django.db import migrations

# Table, and the columns that may not be equal in two rows whose stretches of time overlap.
RULES = {
    "people_roleassignment": ("person_id", "role"),
    "people_linemanagement": ("person_id",),
    "people_address": ("kind", "folded"),
}
_EXCLUSION = """
ALTER TABLE {table} ADD CONSTRAINT {table}_no_overlap
EXCLUDE USING gist ({equal}, tstzrange(started, ended) WITH &&)
"""
_TRIGGER = """
CREATE TRIGGER {table}_no_overlap_{event} BEFORE {event} ON {table}
WHEN EXISTS (
    SELECT 1 FROM {table} AS other WHERE {equal} AND other.id IS NOT NEW.id
    AND (other.ended IS NULL OR NEW.started < other.ended)
    AND (NEW.ended IS NULL OR other.started < NEW.ended)
)
BEGIN SELECT RAISE(ABORT, '{table}: two rows would hold at one moment'); END
"""


def make(apps, schema_editor):
    """Add the rules, in the engine's own way."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for table, columns in RULES.items():
        if schema_editor.connection.vendor == "postgresql":
            equal = ", ".join(f"{column} WITH =" for column in columns)
            schema_editor.execute(_EXCLUSION.format(table=table, equal=equal))
            continue
        equal = " AND ".join(f"other.{column} = NEW.{column}" for column in columns)
        for event in ("INSERT", "UPDATE"):
            schema_editor.execute(_TRIGGER.format(table=table, equal=equal, event=event))


def unmake(apps, schema_editor):
    """Take the rules away."""
    for table in RULES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_no_overlap")
            continue
        for event in ("INSERT", "UPDATE"):
            schema_editor.execute(f"DROP TRIGGER {table}_no_overlap_{event}")


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
