-- The first statement of every group: the users' rows are their locks. Users come ascending, with how much to raise each.
-- Shared locks on the metric types: a schema change of one of these waits for us. Those that are being changed right now are
-- not waited for, since users of other metric types would wait, too: they are returned.
WITH raised AS (
    INSERT INTO user_version (user_id, version)
    SELECT user_id, raise FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, raise)
    ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + excluded.version
    RETURNING user_id, version
), locked AS (
    SELECT id, pg_try_advisory_xact_lock_shared(7233105, id) AS is_locked FROM unnest($3::integer[]) AS id
)
SELECT user_id, version, ARRAY(SELECT id FROM locked WHERE NOT is_locked) AS busy FROM raised
