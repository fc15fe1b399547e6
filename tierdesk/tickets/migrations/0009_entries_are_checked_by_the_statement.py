"""That the ticket of an entry exists is looked up once for all entries of a statement, not for each with a lock on it.

Of a backlog of clocks it was an eighth of what the database does. What a key does not allow is refused as before, with the
same kind of error; only that it holds the ticket meanwhile is given up, since the desk deletes none (docs/adr/0030).

Both functions look rows up by their keys, whatever the planner takes them for: their plans are kept, and one that was made
while the tables were small, or their statistics old, would read all tickets for each statement.
"""

import django.db.models.deletion
from django.db import migrations, models

CHECK = """
CREATE FUNCTION tickets_entries_have_tickets() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE NOT EXISTS (SELECT FROM tickets_ticket WHERE id = fresh.ticket_id)) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an entry is of a ticket that does not exist';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION tickets_tickets_have_no_entries() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM gone JOIN tickets_entry ON tickets_entry.ticket_id = gone.id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a ticket has entries and cannot be deleted before them';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entries_have_tickets AFTER INSERT ON tickets_entry
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tickets_entries_have_tickets();
CREATE TRIGGER moved_entries_have_tickets AFTER UPDATE ON tickets_entry
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tickets_entries_have_tickets();
CREATE TRIGGER tickets_have_no_entries AFTER DELETE ON tickets_ticket
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tickets_tickets_have_no_entries();
"""
UNCHECK = """
DROP TRIGGER tickets_have_no_entries ON tickets_ticket;
DROP TRIGGER moved_entries_have_tickets ON tickets_entry;
DROP TRIGGER entries_have_tickets ON tickets_entry;
DROP FUNCTION tickets_tickets_have_no_entries();
DROP FUNCTION tickets_entries_have_tickets();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0008_a_ticket_has_another_subject")]

    operations = [
        migrations.AlterField(
            model_name="entry",
            name="ticket",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="entries",
                to="tickets.ticket",
            ),
        ),
        migrations.RunSQL(CHECK, UNCHECK),
    ]
