-- As of_users_by_days, with the metric types of the users' blocks that start in [$2, $3): one probe
-- of the index per metric type.
WITH RECURSIVE own AS (
    SELECT u.user_id, b.metric_type_id
    FROM unnest($1::uuid[]) AS u (user_id)
    CROSS JOIN LATERAL (
        SELECT f.metric_type_id FROM block AS f
        WHERE f.user_id = u.user_id AND f.t_min >= $2 AND f.t_min < $3
        ORDER BY f.metric_type_id LIMIT 1
    ) AS b
    UNION ALL
    SELECT o.user_id, b.metric_type_id
    FROM own AS o
    CROSS JOIN LATERAL (
        SELECT n.metric_type_id FROM block AS n
        WHERE n.user_id = o.user_id AND n.metric_type_id > o.metric_type_id AND n.t_min >= $2 AND n.t_min < $3
        ORDER BY n.metric_type_id LIMIT 1
    ) AS b
)
SELECT COALESCE((SELECT sum(version)::bigint FROM user_version WHERE user_id = ANY ($1)), 0) AS version,
       c.generation, t.metric_type_id, (SELECT schema_generation FROM metric_type WHERE id = t.metric_type_id) AS schema_generation
FROM catalogue AS c
LEFT JOIN (SELECT DISTINCT metric_type_id FROM own) AS t ON true
