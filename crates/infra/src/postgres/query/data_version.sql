-- The version of several users is the sum of theirs, which rises with each of them.
SELECT COALESCE((SELECT sum(version)::bigint FROM user_version WHERE user_id = ANY ($1)), 0) AS version,
       (SELECT generation FROM catalogue) AS generation
