"""The intake in SQL: one call stores a batch of events and what follows from them for their alarms.

`INSTALL` is run by a migration, after the tables exist. The function is several statements on purpose: one
big CTE would not see the rows that a rival has just committed, and lose updates. It reads what it was told and sums it
up; then it locks the rows of its sources, in order, also of those that count nothing this time: from there on nobody
else takes in events of theirs, so duplicates are seen exactly and nothing deadlocks.
"""

from __future__ import annotations

CHANGES = """
CREATE SEQUENCE IF NOT EXISTS alarms_change;
"""

TABLES = """
ALTER TABLE alarms_alarm SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE alarms_event SET (autovacuum_vacuum_insert_scale_factor = 0.1);
"""

# State follows from four instants that only grow (`first_at` shrinks), so it does not depend on the order of
# arrival. On a tie of raise and clear the one that came later counts: the caller says which that is.
STATE = """
CREATE OR REPLACE FUNCTION alarms_state(
    first_at timestamptz, raised_at timestamptz, cleared_at timestamptz, acknowledged_at timestamptz,
    raised_last boolean
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN raised_at IS NULL OR raised_at < cleared_at OR (raised_at = cleared_at AND NOT raised_last)
            THEN 'cleared'
        WHEN acknowledged_at >= first_at AND (cleared_at IS NULL OR acknowledged_at > cleared_at)
            THEN 'acknowledged'
        ELSE 'open'
    END
$$;
"""

HEARD = """
DO $$ BEGIN
    CREATE TYPE alarms_heard AS (
        place bigint, source_id bigint, client_id bigint, received_at timestamptz, source_time timestamptz,
        repeats boolean, action text, key text, severity smallint, resource text, class_name text,
        "group" text, summary text, event_id text
    );
EXCEPTION WHEN duplicate_object THEN
    NULL;
END $$;
"""

NEWS = """
DO $$ BEGIN
    CREATE TYPE alarms_news AS (
        source_id bigint, client_id bigint, key text, state text, severity smallint, resource text, class_name text,
        "group" text, summary text, raises bigint, repeats boolean, raised_last boolean, first_at timestamptz,
        raised_at timestamptz, cleared_at timestamptz, acknowledged_at timestamptz, last_at timestamptz
    );
EXCEPTION WHEN duplicate_object THEN
    NULL;
END $$;

-- What a batch says of each alarm, as one.
CREATE OR REPLACE FUNCTION alarms_summed_up(heard alarms_heard[]) RETURNS alarms_news[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT array_agg(
            ROW(
                g.source_id, g.client_id, g.key,
                alarms_state(g.first_at, g.raised_at, g.cleared_at, g.acknowledged_at, g.raised_last),
                (g.latest).severity, (g.latest).resource, (g.latest).class_name, (g.latest)."group", (g.latest).summary,
                g.raises, g.repeats, g.raised_last, g.first_at, g.raised_at, g.cleared_at, g.acknowledged_at, g.last_at
            )::alarms_news
            ORDER BY g.source_id, g.key
        )
        FROM (
            SELECT
                h.source_id, h.key, min(h.client_id) AS client_id, max(h.received_at) AS last_at,
                count(*) FILTER (WHERE h.action = 'raise') AS raises,
                min(h.source_time) FILTER (WHERE h.action = 'raise') AS first_at,
                max(h.source_time) FILTER (WHERE h.action = 'raise') AS raised_at,
                max(h.source_time) FILTER (WHERE h.action = 'clear') AS cleared_at,
                max(h.source_time) FILTER (WHERE h.action = 'ack') AS acknowledged_at,
                bool_or(h.repeats) FILTER (WHERE h.action = 'raise') AS repeats,
                (array_agg(h.action = 'raise' ORDER BY h.source_time DESC, h.place DESC)
                    FILTER (WHERE h.action IN ('raise', 'clear')))[1] AS raised_last,
                coalesce(
                    (array_agg(h ORDER BY h.source_time DESC, h.place DESC) FILTER (WHERE h.action = 'raise'))[1],
                    (array_agg(h ORDER BY h.source_time DESC, h.place DESC))[1]
                ) AS latest
            FROM unnest(heard) h
            WHERE h.action <> 'note'
            GROUP BY h.source_id, h.key
        ) g
    );
END $$;
"""

# Look-ups are scalar or LATERAL sub-selects and sequential scans are off, because the plans are kept: made
# while the tables were small, a join would turn into a scan in the very storm that fills them.
INTAKE = (
    HEARD
    + NEWS
    + """
CREATE OR REPLACE FUNCTION alarms_intake(told jsonb, refused jsonb, tallies jsonb) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    batch_seq bigint;
    remembered CONSTANT interval := '10 minutes';
    tally record;
    gone bigint[];
    heard alarms_heard[];
    news alarms_news[];
    is_numbered boolean;
BEGIN
    -- Before anything is locked: a call that waits for another has done this part meanwhile.
    SELECT array_agg(
        ROW(
            t.place, s.id, s.client_id, t.received_at, t.source_time, t.repeats, b.action, b.key, b.severity,
            b.resource, coalesce(b.class, ''), coalesce(b."group", ''), b.summary,
            coalesce(b.event_id, '')
        )::alarms_heard
    ) INTO heard
    FROM ROWS FROM (
        jsonb_to_recordset(told)
        AS (source bigint, received_at timestamptz, source_time timestamptz, repeats boolean, body jsonb)
    ) WITH ORDINALITY AS t(source, received_at, source_time, repeats, body, place)
    JOIN alarms_source s ON s.id = t.source
    CROSS JOIN LATERAL jsonb_to_record(t.body) AS b(
        action text, key text, severity smallint, resource text, class text, "group" text, summary text,
        event_id text
    );
    is_numbered := EXISTS (SELECT FROM unnest(heard) h WHERE h.event_id <> '');
    IF NOT is_numbered THEN
        news := alarms_summed_up(heard);
    END IF;

    SELECT array_agg(asked.source) FILTER (WHERE held.id IS NULL) INTO gone
    FROM (SELECT t.source FROM jsonb_to_recordset(tallies) AS t(source bigint) ORDER BY t.source) asked
    LEFT JOIN LATERAL (
        SELECT s.id FROM alarms_source s WHERE s.id = asked.source FOR NO KEY UPDATE
    ) held ON true;
    IF gone IS NOT NULL AND EXISTS (
        SELECT FROM jsonb_to_recordset(told || refused) AS t(source bigint) WHERE t.source = ANY (gone)
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'an alarm source is gone: one of ' || gone::text;
    END IF;
    -- Not sooner: of two calls for the same source the one that writes later must have the higher number.
    batch_seq := nextval('alarms_change');
    FOR tally IN
        SELECT * FROM jsonb_to_recordset(tallies) AS t(source bigint, received bigint, shed bigint, at timestamptz)
        WHERE t.received IS NOT NULL
    LOOP
        UPDATE alarms_source AS s SET
            received_count = s.received_count + tally.received,
            shed_count = s.shed_count + tally.shed,
            last_received_at = greatest(s.last_received_at, tally.at)
        WHERE s.id = tally.source;
    END LOOP;

    -- What a source numbers is taken in once, whether it comes again in this batch or came in an earlier one.
    IF is_numbered THEN
        SELECT array_agg(h) INTO heard FROM unnest(heard) h
        WHERE h.event_id = '' OR (
            h.place = (
                SELECT min(same.place) FROM unnest(heard) same
                WHERE same.source_id = h.source_id AND same.event_id = h.event_id
            )
            AND (
                SELECT e.id FROM alarms_event e
                WHERE e.source_id = h.source_id AND e.event_id = h.event_id AND e.event_id <> ''
            ) IS NULL
        );
        news := alarms_summed_up(heard);
    END IF;

    -- Closing an alarm waits for us and we for it, key by key: below, a key is open and ours, or not open.
    PERFORM 1
    FROM (SELECT DISTINCT h.source_id, h.key FROM unnest(heard) h ORDER BY h.source_id, h.key) told_key
    CROSS JOIN LATERAL (
        SELECT a.id FROM alarms_alarm a
        WHERE a.source_id = told_key.source_id AND a.key = told_key.key AND a.closed_at IS NULL
        FOR NO KEY UPDATE
    ) locked;

    INSERT INTO alarms_alarm AS a (
        client_id, source_id, key, state, severity, resource, class_name, "group", summary, count,
        first_at, raised_at, cleared_at, acknowledged_at, last_at, wake_at, changed_seq, seen_seq, previous_id
    )
    SELECT
        n.client_id, n.source_id, n.key, n.state, n.severity, n.resource, n.class_name, n."group", n.summary, n.raises,
        n.first_at, n.raised_at, n.cleared_at, n.acknowledged_at, n.last_at,
        CASE WHEN n.state = 'cleared' THEN n.last_at + remembered END, batch_seq, 0, past.id
    FROM unnest(news) n
    LEFT JOIN LATERAL (
        SELECT p.id, greatest(p.raised_at, p.cleared_at) AS newest_at FROM alarms_alarm p
        WHERE p.source_id = n.source_id AND p.key = n.key AND p.closed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM alarms_alarm o
            WHERE o.source_id = n.source_id AND o.key = n.key AND o.closed_at IS NULL
        )
        ORDER BY p.closed_at DESC LIMIT 1
    ) past ON true
    -- What is older than the end of a closed alarm came late and opens nothing.
    WHERE past.id IS NULL
        OR greatest(n.raised_at, n.cleared_at) > past.newest_at
        OR (n.raised_last AND (n.raised_at = past.newest_at OR n.repeats))
    ORDER BY n.source_id, n.key
    ON CONFLICT (source_id, key) WHERE closed_at IS NULL DO UPDATE SET
        (state, severity, resource, class_name, "group", summary, turned_at, wake_at, changed_seq) = (
            SELECT
                after.state, after.severity, after.resource, after.class_name, after."group", after.summary,
                CASE WHEN (after.state = 'cleared') = (a.state = 'cleared')
                    THEN a.turned_at ELSE excluded.last_at END,
                -- What flaps is looked at when it could have calmed down, however often it comes and goes.
                CASE
                    WHEN (after.state = 'cleared') = (a.state = 'cleared') THEN a.wake_at
                    WHEN a.flapping_until IS NOT NULL THEN a.wake_at
                    WHEN after.state = 'cleared' THEN excluded.last_at + remembered
                END,
                CASE
                    WHEN (after.state, after.severity) = (a.state, a.severity) THEN a.changed_seq
                    WHEN a.flapping_until IS NOT NULL AND after.severity = a.severity THEN a.changed_seq
                    ELSE batch_seq
                END
            FROM (
                SELECT excluded.raised_at >= coalesce(a.raised_at, excluded.raised_at) AS newer
            ) told_by
            CROSS JOIN LATERAL (
                SELECT
                    alarms_state(
                        least(a.first_at, excluded.first_at), greatest(a.raised_at, excluded.raised_at),
                        greatest(a.cleared_at, excluded.cleared_at),
                        greatest(a.acknowledged_at, excluded.acknowledged_at),
                        CASE
                            WHEN greatest(excluded.raised_at, excluded.cleared_at)
                                >= coalesce(greatest(a.raised_at, a.cleared_at), '-infinity')
                            THEN excluded.state <> 'cleared'
                            ELSE a.state <> 'cleared'
                        END
                    ) AS state,
                    CASE WHEN newer THEN excluded.severity ELSE a.severity END AS severity,
                    CASE WHEN newer THEN excluded.resource ELSE a.resource END AS resource,
                    CASE WHEN newer THEN excluded.class_name ELSE a.class_name END AS class_name,
                    CASE WHEN newer THEN excluded."group" ELSE a."group" END AS "group",
                    CASE WHEN newer THEN excluded.summary ELSE a.summary END AS summary
            ) after
        ),
        count = a.count + excluded.count,
        first_at = least(a.first_at, excluded.first_at),
        raised_at = greatest(a.raised_at, excluded.raised_at),
        cleared_at = greatest(a.cleared_at, excluded.cleared_at),
        acknowledged_at = greatest(a.acknowledged_at, excluded.acknowledged_at),
        last_at = greatest(a.last_at, excluded.last_at);

    INSERT INTO alarms_event (
        client_id, source_id, alarm_id, received_at, source_time, action, event_id, batch_seq, body
    )
    SELECT
        h.client_id, h.source_id,
        coalesce(
            (SELECT a.id FROM alarms_alarm a
                WHERE a.source_id = h.source_id AND a.key = h.key AND a.closed_at IS NULL),
            (SELECT a.id FROM alarms_alarm a
                WHERE a.source_id = h.source_id AND a.key = h.key AND a.closed_at IS NOT NULL
                ORDER BY a.closed_at DESC LIMIT 1)
        ),
        h.received_at, h.source_time, h.action, h.event_id, batch_seq, told -> (h.place::int - 1) -> 'body'
    FROM unnest(heard) h
    ORDER BY h.place;

    IF EXISTS (SELECT FROM unnest(heard) h WHERE h.action = 'note') THEN
        UPDATE alarms_alarm a SET changed_seq = batch_seq
        WHERE a.id = ANY (ARRAY(
            SELECT (SELECT o.id FROM alarms_alarm o
                WHERE o.source_id = h.source_id AND o.key = h.key AND o.closed_at IS NULL)
            FROM unnest(heard) h WHERE h.action = 'note'
        ));
    END IF;

    INSERT INTO alarms_refusal (
        client_id, source_id, received_at, reason, raw, remote, shape, path, headers, status
    )
    SELECT
        s.client_id, s.id, r.received_at, r.reason, decode(r.raw, 'base64'), r.remote, r.shape, r.path,
        r.headers, r.status
    FROM jsonb_to_recordset(refused) AS r(
        source bigint, received_at timestamptz, reason text, raw text, remote text, shape text, path text,
        headers jsonb, status smallint
    )
    JOIN alarms_source s ON s.id = r.source;

    RETURN batch_seq;
END $$;
"""
)

INSTALL = CHANGES + TABLES + STATE + INTAKE

REMOVE = """
DROP FUNCTION IF EXISTS alarms_intake(jsonb, jsonb, jsonb);
DROP FUNCTION IF EXISTS alarms_summed_up(alarms_heard[]);
DROP TYPE IF EXISTS alarms_news;
DROP TYPE IF EXISTS alarms_heard;
DROP FUNCTION IF EXISTS alarms_state(timestamptz, timestamptz, timestamptz, timestamptz, boolean);
DROP SEQUENCE IF EXISTS alarms_change;
"""
