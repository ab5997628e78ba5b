-- Of several users the sum: it rises with each of theirs.
SELECT COALESCE((SELECT sum(version)::bigint FROM user_version WHERE user_id = ANY ($1)), 0) AS version,
       (SELECT generation FROM catalogue) AS generation
