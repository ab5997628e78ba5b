-- As lock_users, but divides by zero if a metric type is being changed.
WITH raised AS (
    INSERT INTO user_version (user_id, version)
    SELECT user_id, raise FROM unnest($1::uuid[], $2::bigint[]) AS t (user_id, raise)
    ON CONFLICT (user_id) DO UPDATE SET version = user_version.version + excluded.version
    RETURNING user_id, version
), locked AS (
    SELECT pg_try_advisory_xact_lock_shared(7233105, id) AS is_locked FROM unnest($3::integer[]) AS id
)
SELECT user_id, version, 1 / (SELECT bool_and(is_locked)::integer FROM locked) AS locked FROM raised
