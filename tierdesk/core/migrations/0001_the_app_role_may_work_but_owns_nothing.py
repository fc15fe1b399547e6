from __future__ import annotations

from django.db import migrations

CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tierdesk_app') THEN
        CREATE ROLE tierdesk_app NOLOGIN NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of this server made it in the same moment
END $$;
"""

GRANT = """
DO $$ BEGIN EXECUTE format('GRANT tierdesk_app TO %I', current_user); END $$;
GRANT USAGE ON SCHEMA public TO tierdesk_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tierdesk_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO tierdesk_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tierdesk_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO tierdesk_app;
"""


class Migration(migrations.Migration):
    """The desk works as `tierdesk_app`; the owner of the tables only migrates. Needs CREATEROLE once."""

    run_before = [("contenttypes", "0001_initial"), ("sessions", "0001_initial"), ("procrastinate", "0001_initial")]
    operations = [
        migrations.RunSQL(CREATE_ROLE, migrations.RunSQL.noop),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
