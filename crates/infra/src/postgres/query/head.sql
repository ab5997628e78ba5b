SELECT COALESCE((SELECT version FROM user_version WHERE user_id = $1), 0) AS version,
       (SELECT generation FROM catalogue) AS generation
