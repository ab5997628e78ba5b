-- The first statement of every batch: the rows of the users are their locks. $1 is ascending, and
-- $2 has the increments of the versions. Locks the metric types ($3) in shared mode, so that a
-- schema change waits for the commit. Does not wait for metric types that are being changed,
-- because users of other metric types would wait, too: returns them as busy.
WITH raised AS (
    INSERT INTO user_version (user_id, version)
    SELECT user_id, raise FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, raise)
    ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + excluded.version
    RETURNING user_id, version
), locked AS (
    SELECT id, pg_try_advisory_xact_lock_shared(7233105, id) AS is_locked FROM unnest($3::integer[]) AS id
)
SELECT user_id, version, ARRAY(SELECT id FROM locked WHERE NOT is_locked) AS busy FROM raised
