-- The first statement of every group: the users' rows are their locks. Users come ascending, with how much to raise each.
-- Shared locks on the metric types, ids ascending: a schema change of one of these waits for us, or we for it.
WITH raised AS (
    INSERT INTO user_version (user_id, version)
    SELECT user_id, raise FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, raise)
    ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + excluded.version
    RETURNING user_id, version
), locked AS (
    SELECT pg_advisory_xact_lock_shared(7233105, id) FROM unnest($3::integer[]) AS id
)
SELECT user_id, version, (SELECT count(*) FROM locked) AS locks FROM raised
